"""What the demo and the tests share: the functions and the services they talk to, all on this machine.

    binaries   where cargo put the programs
    processes  a child process whose output is read as it comes
    aws        clients and environments that cannot reach a real account
    emulator   one function binary under Lambda's runtime interface emulator
    local      sagemaker-local, the local SageMaker API
    tls        TLS before a local service, and a proxy on the way to it
    moto       moto's SageMaker, a second opinion
    queues     moto's SQS, with a faster clock
    poller     what Lambda does between a queue and a function
    pipeline   a compiled pipeline definition, run with the functions

Importing the package cuts this process off from any real AWS account: see ``aws.leave_real_account``.
"""

from harness.aws import leave_real_account

leave_real_account()
