"""A show of the three functions against a local SageMaker: ``python -m demo``."""
