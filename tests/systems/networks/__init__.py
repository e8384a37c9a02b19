"""Networks as users bring them, a spec each, and the same networks in jax."""
