"""The errors of AWS's built-in algorithms, by the names that scripts import."""
