"""The benchmarks: what the functions cost, beside the same functions on boto3 and beside a function that does nothing.

    spread      a median, its spread, and the ratio of two
    machine     what the figures were taken on
    sides       the functions that are measured, and how each is started
    twin/       the same three functions in Python, on boto3
    emulated    a function under Lambda's runtime interface emulator: init, answers, memory
    held        a function whose runtime API is here: CPU time by phase, and a CPU quota
    resident    the memory that a process holds
    quota       the CPU that Lambda gives a function of 128 MB
    account     what is in the local account, and the events
    startup     start-up, answers, memory and CPU time of every side
    packages    what is uploaded
    waiting     what waiting costs, by the length of a deployment
    real_wait   one real deployment, which that is held against
    scale       an account with many endpoints, and many deployments at once
    source      a copy of the source, for the two that build
    builds      build times; a command of its own, because it takes long
    profiles    the release build beside others; likewise
    goals       what the figures should be
    wording     how figures are put into words
    report      RESULTS.md out of results.json
    chart       ratios.svg out of results.json

`make bench` runs what takes minutes and writes ``results.json``, ``RESULTS.md`` and ``ratios.svg``.
"""
