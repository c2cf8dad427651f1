"""The master keys of a process: those of its settings, or of a file it follows."""

from db.crypto import SecretBox
from runtime.key_file import KeyFile
from runtime.settings import Settings


def secret_box(settings: Settings) -> SecretBox:
    """What seals and opens; with a file of keys it follows the file.

    Raises:
        SettingsError: there is no key, or the file cannot be read.
    """
    ring = settings.encryption_ring()
    if settings.encryption_key_file is None:
        return SecretBox(ring)
    file, old = KeyFile(settings.encryption_key_file), settings.old_keys()

    def reread() -> tuple[bytes, ...] | None:
        keys = file.reread()
        return None if keys is None else (*keys, *old)

    return SecretBox(ring, reread=reread)
