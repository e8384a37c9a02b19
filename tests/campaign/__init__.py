"""The long campaign: random expressions and random networks, held against everything there is."""
