"""Two SageMaker pipelines that deploy through the stack's functions, on the SageMaker Python SDK.

In the direction in which the modules know of each other:

    contract    what the functions take and answer
    stack       the outputs of the stack: functions and queues
    autogluon   images and scripts of the built-in algorithm
    uploads     the scripts of the steps, and where they lie in S3
    remarks     the SDK's, kept out of what this program says
    sdk         the SDK's session, so that compiling calls nobody
    deployment  the steps that deploy, by LambdaStep or CallbackStep
    training    the steps from the data to the registered model
    complete    the pipeline of all of that
    promotion   the pipeline that takes a registered model to staging, then to production
    progress    a line for each step while an execution runs
    endpoint    the test of a serving endpoint
    options     the options of the command line
    command     the command line

``scripts/`` is what runs inside the steps' containers, on the Python and the packages that are there.
"""
