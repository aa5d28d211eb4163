"""Names: product titles as sellers on Amazon write them, awkward ones included, and eBay user names."""

from __future__ import annotations

import re
import unicodedata
from random import Random

AMAZON_TITLE_CHARS = 125
"""Amazon's best-seller pages cut titles there, often inside a word (docs/sources.md 2.2)."""
EBAY_TITLE_CHARS = 80

_BRANDS = (
    "Braunwell",
    "Cosori",
    "Hamilsen",
    "OXOnia",
    "Ninjaro",
    "Keuring",
    "Vitamax",
    "Zojira",
    "Cuisinette",
    "Lodgeware",
    "Tefalon",
    "Ankerly",
    "Spigenix",
    "Ottershell",
    "Torrasi",
    "Sonica",
    "Philipsen",
    "Panasio",
    "Logitec",
    "Razor",
    "Corsari",
    "Rubbermate",
    "Britanix",
    "Dysonic",
    "Sharkly",
    "Bissello",
)
_NOUNS = (
    "Coffee Machine",
    "Burr Grinder",
    "Electric Kettle",
    "Air Fryer",
    "Stand Mixer",
    "Phone Case",
    "Screen Protector",
    "Wireless Earbuds",
    "Power Bank",
    "Yoga Mat",
    "Water Bottle",
    "Dog Leash",
    "Cat Litter Scoop",
    "LED Desk Lamp",
    "Gaming Mouse",
    "USB C Hub",
    "Face Serum",
    "Hair Dryer",
    "Travel Backpack",
    "Garden Hose",
)
_ADJECTIVES = (
    "Stainless Steel",
    "Nonstick",
    "Waterproof",
    "Portable",
    "Rechargeable",
    "Heavy Duty",
    "Ultra Slim",
    "Cordless",
    "Adjustable",
    "Dishwasher Safe",
    "BPA-Free",
    "Shockproof",
)
_FEATURES = (
    "for Home and Office",
    "with Auto Shut-Off",
    "2 Speed Settings",
    "Gift for Men & Women",
    "Compatible with iPhone 13/12/11",
    "12 Month Warranty",
    "Space-Saving Design",
    "Easy to Clean",
    "Includes Travel Pouch",
    "Quiet Operation",
    "Military-Grade Drop Tested",
    "Soft Anti-Scratch Microfiber Lining",
)
_COLOURS = ("Black", "White", "Matte Grey", "Rose Gold", "Navy Blue", "Forest Green")

_SHAPES = (
    "{brand} {model} {noun}, {adjective}, {feature}, {colour}",
    "{brand} {model} {adjective} {noun} {feature} - {colour}",
    "{brand} {model} {noun} [{count} Pack] ({adjective}) {feature}",
    '{brand} {model} {count}" {noun}, "Chef\'s Choice" Edition, {feature}',
    "{brand} {model} {adjective} {noun} {feature} {colour}",
    "🔥{brand} {model} {noun} ☕ {adjective} ✨{feature}✨ {colour}",
    "{brand} {model} コーヒー {noun} 電動 {adjective}、{feature}",
    "【{count}-Pack】{brand} {model} {noun}，{feature} кофе {colour}",
    '<b>{brand}</b> {model} {noun} & {adjective} "{colour}" <i>{feature}</i> Tom\'s',
    "{brand} ({model}, {count} Pack) {noun} *{adjective}* {feature}",
    "{brand} {model} {noun} {feature}, {feature2}, {feature3}, {adjective}, {colour}, {feature4}, "
    "Set of {count}, {adjective2} Replacement Parts for Kitchen, Bedroom, Car and Camping, Model Year 2026, {colour2}",
    "{brand} {model} {noun}，für Küche & Büro – {adjective} Größe {count} ({colour}",
)
"""{model} stands within the first 40 characters of each, so that a query cut at 80 or 100 still names the product."""


def product_title(rng: Random, model: str) -> str:
    """The full title of a product; Amazon's pages show its first 125 characters."""
    features = rng.sample(_FEATURES, 4)
    adjectives = rng.sample(_ADJECTIVES, 2)
    colours = rng.sample(_COLOURS, 2)
    return rng.choice(_SHAPES).format(
        brand=rng.choice(_BRANDS),
        model=model,
        noun=rng.choice(_NOUNS),
        adjective=adjectives[0],
        adjective2=adjectives[1],
        feature=features[0],
        feature2=features[1],
        feature3=features[2],
        feature4=features[3],
        colour=colours[0],
        colour2=colours[1],
        count=rng.randint(2, 12),
    )


def listing_title(rng: Random, title: str) -> str:
    """A seller's own words for a product, at most 80 characters."""
    extra = rng.choice(("", "", "NEW ", "Brand New ", "✅ ", "OEM "))
    ending = rng.choice(("", "", " Free Shipping", " FAST SHIP", " - US Seller", ' "Sealed" <New>'))
    room = EBAY_TITLE_CHARS - len(extra) - len(ending)
    return f"{extra}{title[:room].rstrip()}{ending}"


_SELLER_FIRST = (
    "deal",
    "top",
    "best",
    "prime",
    "quick",
    "lucky",
    "green",
    "blue",
    "home",
    "tech",
    "pro",
    "mega",
    "smart",
    "direct",
    "family",
    "golden",
    "sunny",
    "west",
    "east",
    "metro",
    "urban",
    "happy",
    "royal",
    "star",
    "value",
    "super",
    "true",
    "first",
    "city",
    "river",
)
_SELLER_LAST = (
    "hunter",
    "store",
    "outlet",
    "deals",
    "shop",
    "market",
    "supply",
    "goods",
    "trading",
    "finds",
    "depot",
    "bargains",
    "warehouse",
    "corner",
    "house",
    "express",
    "emporium",
    "mart",
    "closet",
    "exchange",
)
AWKWARD_SELLERS = ('b&b_<b>deals</b>_"co"', "tom's.attic&more", "müller-technik", "kawaii_店_jp")
"""Names that break pages and queries which do not escape; they hold the first places of every pool."""


def seller_name(rng: Random, index: int) -> str:
    """The user name of the account with this number in the pool. Distinct numbers give distinct accounts."""
    if index < len(AWKWARD_SELLERS):
        return AWKWARD_SELLERS[index]
    first, last = rng.choice(_SELLER_FIRST), rng.choice(_SELLER_LAST)
    # The number makes it distinct, and no style turns one number into another one's name.
    return rng.choice(
        ("{f}_{l}_{n}", "{f}{l}{n}", "{f}.{l}-{n}", "the_{f}_{l}{n}", "{F}{L}{n}", "{f}{l}_{n}_us")
    ).format(f=first, l=last, F=first.title(), L=last.title(), n=index)


def other_spelling(name: str) -> str:
    """The same account as another listing spells it: eBay compares user names without case."""
    return name.title() if name != name.title() else name.lower()


def seller_key(name: str) -> str:
    """When two spellings are one account: NFKC, outer white space and case do not matter."""
    return unicodedata.normalize("NFKC", name).strip().casefold()


_WORD = re.compile(r"[^\W_]+")


def words(text: str) -> list[str]:
    """The words of a text as eBay's search sees them: split at everything that is no letter or digit, without case."""
    return _WORD.findall(unicodedata.normalize("NFKC", text).casefold())
