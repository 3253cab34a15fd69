"""A local SageMaker that containers can reach."""

import ipaddress
import json
import subprocess
from typing import Any

from harness.local import LocalSageMaker


class BridgedSageMaker(LocalSageMaker):
    """A local SageMaker on Docker's bridge: containers and this machine reach it, other machines do not."""

    def __init__(self, **options: Any) -> None:
        """Describe the service, with the options of any local SageMaker."""
        super().__init__(**options)
        self._options.append(f"--address={bridge_address()}")


def bridge_address() -> str:
    """Return this machine's address on the network that Docker gives a container by default."""
    command = ["docker", "network", "inspect", "bridge", "--format", "{{ json .IPAM.Config }}"]
    networks = json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
    network = next(network for network in networks if ":" not in network["Subnet"])
    # Docker leaves the gateway out where it chose it itself; it is the network's first address then.
    return network.get("Gateway") or str(next(ipaddress.ip_network(network["Subnet"]).hosts()))
