"""What was in force and served before a rollback, kept encrypted in the incident's vault."""

import secrets

from monitor.incidents.records import Record, canonical_json
from monitor.incidents.vault import KEY_BYTES, NONCE_BYTES, SALT_BYTES, sealed
from monitor.rollbacks.means import Freezer
from monitor.rollbacks.plans import RollbackPlan
from monitor.storage.store import Store

__all__ = ["vault_freezer"]


def vault_freezer(store: Store, monitor: str) -> Freezer:
    """Return what keeps the whole of it in the vault, and tells its commitment.

    The timeline tells what identified it; the values themselves, such as the text of a prompt,
    can be erased with the vault. Where the vault was erased already, it keeps nothing, and the
    timeline tells everything.
    """

    def freeze(plan: RollbackPlan, incident_id: str | None, kept: Record) -> Record | None:
        if incident_id is None:
            return None
        content = canonical_json({"plan": plan.name, "plan_digest": plan.digest, **kept})
        with store.begin():
            incidents = store.incidents(monitor)
            incidents.take_turn()
            vault = incidents.vault()
            key = vault.key(incident_id, fresh=secrets.token_bytes(KEY_BYTES))
            if key is None:
                return None
            secret = sealed(
                content,
                incident_id=incident_id,
                key=key,
                salt=secrets.token_bytes(SALT_BYTES),
                nonce=secrets.token_bytes(NONCE_BYTES),
            )
            vault.put(incident_id, secret)
        return {"vault": secret.commitment, "bytes": len(content.encode())}

    return freeze
