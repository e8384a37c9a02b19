"""The graph: interned immutable nodes over a small closed set of tensor operations."""
