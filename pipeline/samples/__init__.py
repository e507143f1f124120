"""A data set that is drawn, not downloaded. A small network can learn it; colors alone do not separate its classes."""
