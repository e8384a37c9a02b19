"""Looking at graphs: expressions as text, LaTeX and SymPy, and whole models as derivations."""
