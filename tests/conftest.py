"""Hypothesis draws the same examples in every run, so that a green run stays green.

``pytest --hypothesis-profile=explore`` draws new ones each time.
"""

from __future__ import annotations

from hypothesis import settings

settings.register_profile("same", derandomize=True, deadline=None, print_blob=True)
settings.register_profile("explore", derandomize=False, deadline=None, print_blob=True)
settings.load_profile("same")
