"""Text of emitted modules, kept as Python that can be read, linted and tested as it is.

:mod:`codegen.support_text` takes functions out of these files, with the functions that they call,
and renames what the user's names would hide.  They have no annotations because emitted modules
have none.
"""
