"""Resource Groups Tagging: finding resources by their tags."""
