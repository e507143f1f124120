"""Code that the functions share; zipped with each function that imports it."""
