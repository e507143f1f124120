"""What the functions have in common: zipped with each function that imports it."""
