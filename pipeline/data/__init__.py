"""A user's own pictures: counted, packed under a name made from their content, and the settings that fit them."""
