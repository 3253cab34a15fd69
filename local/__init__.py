"""The stack as ``sam build`` makes it, run in Docker by ``sam local``: ``make local``.

    base-image   sees to it that Docker has Lambda's base image
    bridge       a local SageMaker that containers can reach
    sam          ``sam local invoke`` and ``sam local start-lambda``

Apart from ``make test`` because it needs Docker and the release build of all three functions.
"""
