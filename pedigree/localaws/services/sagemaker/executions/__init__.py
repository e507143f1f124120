"""What an execution does next, decided without doing anything: the pure core of the executor.

values.py says what expressions are worth, planner.py which steps start and when all is over. Around that pure core,
state.py is how the store keeps executions, and ledger.py the steps of one in its executor's hands.
"""
