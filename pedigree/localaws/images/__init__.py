"""Images without docker: a Python environment stands for each, and programs of ours for what an image brings along.

programs/ is no package: what is in it is run by the Python of an image's environment, which has nothing of pedigree.
"""
