"""The invented words the catalogue is made of, awkward ones among them."""

ADJECTIVES = ("Plain", "Smart", "Red", "Tiny", "Fancy", "Green", "Solid", "Quick", "Blue", "Old")
NOUNS = ("Box", "Lamp", "Mug", "Tent", "Bike", "Hat", "Chair", "Shirt", "Book", "Bowl", "Clock")
# (name as the API shows it, slug)
AWKWARD_NAMES = (
    ("قميص قطني أحمر", "qamis-qutni"),
    ("Mug 🎉👩‍👩‍👧 party", "mug-party"),
    ("Große Box <b>XL</b>", "grosse-box-xl"),
    ("Bücher &amp; Hefte “Größe”", "buecher-hefte"),
    ("Tiny & Co Lamp", "tiny-co-lamp"),
    ("帽子 – 大", "hat-large"),
    ("Ünïcode\u00a0Buch", "unicode-buch"),
)
FIRST_NAMES = ("Anna", "Bob", "Carla", "Dev", "Émile", "Jürgen", "Mária", "太郎", "أحمد", "Zoë")
LAST_NAMES = ("Smith-Jones", "Perera", "de la Cruz", "Brown", "Müller", "Öz", "O'Neil", "Khan")
# (country, city, postcode, tax per cent, tax rate id, tax label, rate code)
PLACES = (
    ("DE", "Berlin", "10115", 19, 1, "MwSt.", "DE-MWST.-1"),
    ("FR", "Lyon", "69001", 20, 3, "TVA", "FR-TVA-1"),
    ("LK", "Colombo", "00100", 0, 0, "", ""),
)
CATEGORIES = (
    ("Uncategorized", "uncategorized", 0),
    ("Clothing", "clothing", 0),
    ("Shoes", "shoes", 2),
    ("Bücher &amp; Hefte", "bucher-hefte", 0),
    ("Electronics", "electronics", 0),
    ("Garden", "garden", 0),
    ("Home &amp; Garden &lt;neu&gt;", "home-garden-neu", 6),
    ("Food", "food", 0),
    ("Toys", "toys", 0),
    ("T-Shirts", "t-shirts", 2),
    ("ملابس", "malabis", 2),
    ("Long sleeves", "long-sleeves", 10),
)
TAGS = ("eco", "gift", "limited", "new", "sale")
COLORS = (("Blue", "blue"), ("Green", "green"), ("Grün-Weiß", "grun-weis"), ("Red", "red"))
SIZES = (("L", "l"), ("M", "m"), ("S", "s"), ("XL", "xl"))
