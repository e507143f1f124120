"""What predict.py is made of, zipped beside it: how a picture is fetched without being led astray, and what is one."""
