"""The words that mean something to a comparison: units, packs, colours, accessories.

Data only, in lower case and singular, as `reading` makes them.
"""

from __future__ import annotations


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


UNITS = {
    unit: name
    for name, spellings in {
        "tb": "tb terabyte",
        "gb": "gb gig gigabyte",
        "mb": "mb megabyte",
        "in": "in inch inche",
        "ft": "ft feet foot",
        "cm": "cm centimeter",
        "mm": "mm millimeter",
        "m": "m meter",
        "oz": "oz ounce floz",
        "lb": "lb pound",
        "g": "g gram",
        "kg": "kg kilogram",
        "ml": "ml milliliter",
        "l": "l liter litre",
        "qt": "qt quart",
        "gal": "gal gallon",
        "cup": "cup",
        "w": "w watt",
        "v": "v volt",
        "mah": "mah",
        "ghz": "ghz",
        "mhz": "mhz",
        "mp": "mp megapixel",
        "yd": "yd yard",
        "port": "port",
        "outlet": "outlet",
        "pocket": "pocket",
        "page": "page",
        "channel": "channel ch",
        "drawer": "drawer",
        "shelf": "shelf shelve",
        "button": "button",
    }.items()
    for unit in spellings.split()
}
"""How a unit is written, and its one name here. Singular, as `reading` sees words."""

MULTIPLES = _words("""
    pack pk lot bundle case twinpack
""")
"""Words that say how many of the thing are sold together: "pack of 2", "2 pack", "lot of 3"."""

COUNTS = _words("""
    count ct piece pc pcs set sheet box pod capsule tablet bag roll pad dozen unit
""")
"""Words that say how many are inside one pack: "72 count", "set of 6"."""

COLOURS = {
    colour: name
    for name, spellings in {
        "black": "black blk onyx",
        "white": "white wht ivory",
        "grey": "grey gray graphite charcoal gunmetal slate",
        "silver": "silver chrome",
        "red": "red crimson burgundy",
        "blue": "blue navy teal turquoise cyan aqua",
        "green": "green olive sage mint",
        "pink": "pink rose magenta",
        "purple": "purple violet lavender plum",
        "yellow": "yellow gold",
        "orange": "orange copper",
        "brown": "brown mahogany walnut oak tan beige",
        "clear": "clear transparent",
    }.items()
    for colour in spellings.split()
}
"""Colours as sellers name them, and the family that each belongs to."""

ACCESSORIES = _words("""
    case cover protector charger cable cord adapter mount stand skin sleeve strap band holder bracket
    replacement part lid gasket filter descaler cleaner remote battery batterie bag pouch decal sticker knob
    handle hose nozzle brush attachment accessory accessorie tray basket carafe pitcher jar blade pad refill
    cartridge manual screw spare liner hook tip earpad cushion
""")
"""What is sold for a product rather than being it. A word that both titles have says nothing."""

PARTIAL = _words("""
    only empty broken untested repair part manual dummy replica
""")
"""Words of a listing that offers less than the product: "box only", "for parts"."""

COMPATIBLE = _words("""
    compatible fit replace replacement generic alternative aftermarket
""")
"""Words of a listing that offers what works with a product, or in its place."""

BUNDLES = _words("""
    bundle kit combo bonus extra
""")
"""Words of a listing that offers the product with something else."""

SILENT = _words("""
    x the a an and of for with w in on by to from or new brand sealed free shipping ship fast authentic
    genuine original oem retail packaging package nib nwt bnib us usa sale hot
""")
"""Words that say nothing about which product it is."""
