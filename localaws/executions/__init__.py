"""What an execution does next, decided without doing anything: the pure core of the executor.

values.py says what expressions are worth, planner.py which steps start and when all is over, reuse.py when a step's
earlier result will do, patience.py when a failed step is tried again.
"""
