"""Check that addresses in a catalog lead to no local file or network."""

from __future__ import annotations

from dataclasses import replace

from dpss.model import MatrixRef, Project, Skipped
from dpss.storage.http import networks_beyond, why_not_from


def check_addresses(project: Project, service: str) -> Project:
    """Return a project without references that lead to this machine or its network.

    A catalog is a document from outside: an address of a file of this machine, or of a host on its
    network, would be read and published. Such references are skipped as failures, with the reason.
    The others state the networks that their hosts may be in, as a host may have another address
    when it is read.

    Args:
        project: The project as parsed from the service's answer.
        service: Address of the service, given by the user.
    """
    kept: list[MatrixRef] = []
    refused: list[Skipped] = []
    for ref in project.refs:
        why = why_not_from(service, ref.address)
        if why:
            refused.append(Skipped(ref.name, why, failed=True))
        else:
            kept.append(replace(ref, networks=networks_beyond(service, ref.address)))
    return replace(project, refs=tuple(kept), skipped=(*project.skipped, *refused))
