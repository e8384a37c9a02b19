"""Differentiation: derivatives are more nodes of the same graph, and can be derived again."""
