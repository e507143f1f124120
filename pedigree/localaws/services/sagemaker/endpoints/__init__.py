"""Endpoints: real model servers behind InvokeEndpoint, one process for each instance.

model_server.py is what an instance runs; instances.py starts and watches one; fleet.py keeps as many as are wanted and
picks the least busy; rollout.py moves traffic from an old fleet to a new one; endpoints.py is an endpoint's life.
"""
