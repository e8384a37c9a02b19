"""Reading models: TOML specs, formulas, and layers as shorthand for equations."""
