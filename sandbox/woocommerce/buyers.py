"""Who seeded orders go to."""

from sandbox.woocommerce import words
from sandbox.woocommerce.php import Document


def addresses(
    index: int, bits: int, place: tuple[str, str, str], customer: int
) -> tuple[Document, Document]:
    """(billing, shipping); `place` is country, city and postcode, customer 0 a guest."""
    country, city, postcode = place
    shipping = {
        "first_name": words.FIRST_NAMES[(bits >> 30) % len(words.FIRST_NAMES)],
        "last_name": words.LAST_NAMES[(bits >> 34) % len(words.LAST_NAMES)],
        "company": "",
        "address_1": f"Weg {index}",
        "address_2": "",
        "city": city,
        "state": "",
        "postcode": postcode,
        "country": country,
    }
    email, phone = f"buyer{index}@example.test", f"0221 {index}"
    if customer == 0:
        email, phone = _guest_contact(index, phone)
    return {**shipping, "email": email, "phone": phone}, {**shipping, "phone": ""}


def _guest_contact(index: int, phone: str) -> tuple[str, str]:
    """Guests come back, write their e-mail in another case, or leave a phone number only."""
    guest = index // 16
    if index % 16 == 3:
        return "", f"+49 171 {guest:07d}"
    spelling = ("guest{}@example.test", "Guest{}@Example.test", "GUEST{}@EXAMPLE.TEST")[index % 3]
    return spelling.format(guest), phone
