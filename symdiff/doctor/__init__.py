"""``symdiff doctor``: is this machine set up as emitted modules want it?

The modules spend their time in matrix products and in passes over arrays, so that the BLAS
library's kernel and its threads decide how fast they are, and both are chosen by that library
without a word.  Facts (:mod:`.facts`) and rates (:mod:`.measure`) are read; what follows from them
is pure (:mod:`.judge`) and printed (:mod:`.report`).
"""
