"""Words the demo company is made of. All companies are invented, all domains end in `.example`,
all phone numbers lie in ranges that regulators keep free for fiction."""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class Place:
    """A city with what an address and a phone number there look like."""

    city: str
    states: tuple[str, ...]
    """Spellings of the state or region, the full name first; empty: none is used."""
    country: str
    postal: str
    """`#` stands for a digit."""
    dial: str
    """National significant number in a fictional range, `#` for a digit; empty: none is kept."""
    culture: str
    weight: int


def _words(text: str) -> tuple[str, ...]:
    return tuple(text.split())


def _place(line: str) -> Place:
    city, states, country, postal, dial, culture, weight = line.split("|")
    spellings = tuple(states.split("/")) if states else ()
    return Place(city, spellings, country, postal, dial, culture, int(weight))


PLACES: Final = tuple(
    _place(line)
    for line in """\
New York|New York/NY/N.Y.|US|100##|212 555 01##|en|14
San Francisco|California/CA/Calif.|US|941##|415 555 01##|en|12
Austin|Texas/TX|US|787##|512 555 01##|es|8
Chicago|Illinois/IL|US|606##|312 555 01##|en|8
Boston|Massachusetts/MA/Mass.|US|021##|617 555 01##|en|7
Seattle|Washington/WA|US|981##|206 555 01##|en|6
Atlanta|Georgia/GA|US|303##|404 555 01##|en|5
Denver|Colorado/CO|US|802##|303 555 01##|en|4
Miami|Florida/FL/Fla.|US|331##|305 555 01##|es|4
San José|California/CA|US|951##|408 555 01##|in|4
Toronto|Ontario/ON|CA|M5V 2T#|416 555 01##|en|5
Montréal|Québec/QC/Quebec|CA|H2Y 1C#|514 555 01##|fr|3
Vancouver|British Columbia/BC|CA|V6B 1A#|604 555 01##|zh|2
London|England|GB|EC1A #BB|20 7946 0###|en|10
Manchester|England|GB|M1 #AE|161 496 0###|en|4
Dublin||IE|D02 XY4#||ie|3
Berlin|Berlin|DE|101##|30 23125 ###|de|7
München|Bayern/Bavaria/BY|DE|803##|89 99998 ###|de|6
Hamburg|Hamburg/HH|DE|200##|40 66969 ###|de|3
Frankfurt am Main|Hessen/Hesse/HE|DE|603##|69 90009 ###|de|3
Zürich|Zürich/ZH|CH|80##||de|3
Paris|Île-de-France/Ile de France|FR|750##|1 99 00 ####|fr|6
Lyon|Auvergne-Rhône-Alpes|FR|690##|4 65 71 ####|fr|2
Stockholm|Stockholms län|SE|111 ##|8 465 004 ##|sv|3
København||DK|12##||sv|1
Amsterdam|Noord-Holland|NL|101# AB||nl|4
Madrid|Comunidad de Madrid/Madrid|ES|280##||es|3
Barcelona|Catalunya/Cataluña|ES|080##||es|2
Milano|Lombardia|IT|201##||it|2
Sydney|New South Wales/NSW|AU|20##|2 5550 ####|en|3
Tokyo|東京都/Tokyo|JP|100-00##||ja|3
上海|Shanghai|CN|2000##||zh|1
Singapore||SG|0489##||zh|2
Bengaluru|Karnataka/KA|IN|5600##||in|4
São Paulo|São Paulo/SP|BR|01310-1##||pt|3
תל אביב||IL|61000##||he|1
دبي||AE|||ar|1""".splitlines()
)

COUNTRY_SPELLINGS: Final = {
    "US": ("United States", "USA", "U.S.", "US", "United States of America", "usa", "U.S.A."),
    "CA": ("Canada", "CA", "CANADA"),
    "GB": ("United Kingdom", "UK", "Great Britain", "England", "GB", "U.K."),
    "IE": ("Ireland", "IE", "Éire"),
    "DE": ("Germany", "Deutschland", "DE", "GERMANY", "germany"),
    "CH": ("Switzerland", "Schweiz", "CH"),
    "FR": ("France", "FR", "FRANCE"),
    "SE": ("Sweden", "Sverige", "SE"),
    "DK": ("Denmark", "Danmark", "DK"),
    "NL": ("Netherlands", "The Netherlands", "Holland", "NL"),
    "ES": ("Spain", "España", "ES"),
    "IT": ("Italy", "Italia", "IT"),
    "AU": ("Australia", "AU"),
    "JP": ("Japan", "日本", "JP"),
    "CN": ("China", "PR China", "CN"),
    "SG": ("Singapore", "SG"),
    "IN": ("India", "IN", "INDIA"),
    "BR": ("Brazil", "Brasil", "BR"),
    "IL": ("Israel", "IL"),
    "AE": ("United Arab Emirates", "UAE", "AE"),
}
DIAL_CODES: Final = {
    "US": "1",
    "CA": "1",
    "GB": "44",
    "DE": "49",
    "FR": "33",
    "SE": "46",
    "AU": "61",
}
CURRENCIES: Final = {
    "GB": "GBP",
    "DE": "EUR",
    "FR": "EUR",
    "IE": "EUR",
    "NL": "EUR",
    "ES": "EUR",
    "IT": "EUR",
    "CH": "CHF",
    "SE": "SEK",
    "CA": "CAD",
    "AU": "AUD",
    "JP": "JPY",
    "BR": "BRL",
}
LANGUAGES: Final = {
    "en": "en",
    "es": "es",
    "in": "en",
    "ie": "en",
    "de": "de",
    "fr": "fr",
    "sv": "sv",
    "nl": "nl",
    "it": "it",
    "ja": "ja",
    "zh": "zh",
    "pt": "pt",
    "he": "he",
    "ar": "ar",
}

# A colon gives the spelling in e-mail addresses where it does not follow from the name.
GIVEN: Final = {
    "en": "Olivia Liam Emma Noah Ava James Sophia William Mia Lucas Grace Henry Chloe Daniel Zoe "
    "Samuel Hannah Ryan Abigail Nathan Ella Owen Ruby Jack Leah Adam Naomi Peter Rachel Tom",
    "es": "Lucía José María Carlos Sofía Miguel Carmen Diego Elena Javier Ana Luis Inés Raúl",
    "in": "Priya Arjun Ananya Rohan Kavya Vikram Meera Aditya Divya Sanjay Neha Rahul",
    "ie": "Aoife Seán Niamh Cian Saoirse Oisín Róisín Conor Siobhán Declan",
    "de": "Anna Jürgen Lena Björn Käthe Moritz Jörg Sabine Lukas Günter Heike Felix Änne Jan",
    "fr": "Camille Léa Hugo Chloé Mathéo Inès Gaël Zoé François Anaïs Étienne Noémie Loïc Élodie",
    "sv": "Elsa Åsa Björn Östen Maja Lars Søren Freja Göran Linnéa Håkan Sigrid",
    "nl": "Daan Sanne Bram Fleur Thijs Lotte Joost Femke Sjoerd Marieke",
    "it": "Giulia Luca Chiara Matteo Niccolò Sara Andrea Martina Nicolò Elisa",
    "ja": "太郎:taro 花子:hanako 翔太:shota 美咲:misaki 健一:kenichi 陽子:yoko 大輔:daisuke",
    "zh": "伟:wei 芳:fang 娜:na 敏:min 静:jing 磊:lei 洋:yang 丽:li",
    "pt": "João Beatriz Thiago Letícia Gustavo Júlia Antônio Marina Conceição Rafael",
    "he": "יוסי:yossi נועה:noa דוד:david תמר:tamar אורי:uri מיכל:michal",
    "ar": "محمد:mohammed فاطمة:fatima أحمد:ahmed ليلى:layla عمر:omar نور:nour",
}
FAMILY: Final = {
    "en": "Smith Johnson Brown Taylor Wilson Davies Evans Thomas Roberts Walker Wright Hall Green "
    "Baker Carter Mitchell Turner Phillips Campbell Parker Edwards Collins Stewart Morris "
    "Cook Rogers Bell Murphy Bailey Cooper Reed Ward Cox Howard Brooks Gray Price Ross",
    "es": "García Martínez López Sánchez Pérez Gómez Fernández Núñez Muñoz Álvarez Peña Ibáñez",
    "in": "Sharma Patel Reddy Iyer Gupta Nair Singh Rao Mehta Banerjee Krishnan Das",
    "ie": "O'Brien O’Sullivan O'Neill Byrne Ó-Dálaigh:odalaigh McCarthy Doyle O’Connor Kelly Nolan",
    "de": "Müller Schmidt Schäfer Weiß Köhler Krüger Böhm von-Arnim Schröder Jäger Groß Lüdtke "
    "Vogel Fuchs Zimmermann Meier Meyer Maier",
    "fr": "Lefèvre Dubois D’Angelo Moreau Leclère Girard Bénard L'Hermite Gauthier Lemaître "
    "Châtelain Renaud Çelik",
    "sv": "Andersson Åkesson Söderström Lindqvist Bergström Sjöberg Nørgaard Ek Österlund Holm",
    "nl": "de-Vries van-den-Berg Bakker Visser Smit Jansen 't-Hart:thart Mulder van-Dijk",
    "it": "Rossi D'Amico Ferrari Esposito Dell'Acqua Romano Conti Greco Nicolì",
    "ja": "佐藤:sato 鈴木:suzuki 高橋:takahashi 田中:tanaka 渡辺:watanabe 山本:yamamoto",
    "zh": "王:wang 李:li 张:zhang 刘:liu 陈:chen 杨:yang 赵:zhao 黄:huang",
    "pt": "Silva Araújo Conceição Gonçalves Magalhães Ribeiro Antunes Simões Brandão",
    "he": "כהן:cohen לוי:levi מזרחי:mizrahi פרץ:peretz ביטון:biton",
    "ar": "الحسن:alhassan خليل:khalil منصور:mansour حداد:haddad ناصر:nasser",
}

STEMS: Final = _words(
    "Alder Amberly Aquila Arbor Arkwell Aurevo Bexley Bluefern Bravik Brightoak Caldera "
    "Candor Cinderpeak Cobalto Copperleaf Corvane Crestmoor Dalwick Deltara Driftwood Dunmore "
    "Eastmere Elmira Emberly Evenfall Fairhaven Fennec Fjordal Foxglove Galvano Glenrock "
    "Goldwater Grünwerk Halcyra Harrowgate Hexalon Highmoor Ironvale Ivybridge Jasperine "
    "Junivera Kaleo Kestrelo Kindling Lakeview Larkmead Linden Lumenova Maplewick Marlowe "
    "Meridion Mistral Monteverde Nethercote Nimbora Northwick Novalis Oakhurst Ombrelo "
    "Orchardia Palisade Pendrell Pinecrest Plumeria Quarrystone Quillon Ravenna Redcliffe "
    "Ridgemont Rosewind Saltmarsh Sandpiper Sierrada Silverbirch Solvanta Sparrowhawk "
    "Stonebrook Sunderly Tallgrass Tamarind Thornbury Tidewell Umbrava Uplandia Valeris "
    "Verdana Vistula Wavecrest Wexford Whitlow Wildrose Windermere Xandria Yarrow Yellowtail "
    "Zenobi Zephyra Köhlbrand Österlen Élancourt Ñandú Sãolua Çamlica Bücherhain"
)
INDUSTRY_WORDS: Final = {
    "software": _words("Software Cloud Systems Labs Data"),
    "fintech": _words("Pay Payments Ledger Wallet Lending"),
    "banking": _words("Bank Trust Savings Capital Credit-Union"),
    "healthcare": _words("Health Clinics Medical Biotech Care"),
    "retail": _words("Stores Market Outfitters Goods Boutique"),
    "manufacturing": _words("Machines Works Tools Motors Components"),
    "education": _words("Academy Learning College Schools Campus"),
    "media": _words("Media Studios Press Broadcasting Pictures"),
    "logistics": _words("Freight Logistics Shipping Express Cargo"),
    "professional_services": _words("Consulting Advisors Partners Legal Audit"),
    "energy": _words("Energy Solar Power Wind Utilities"),
    "public_sector": _words("Council Agency Authority Institute Foundation"),
}
INDUSTRY_WEIGHTS: Final = {
    "software": 20,
    "fintech": 12,
    "banking": 8,
    "healthcare": 10,
    "retail": 11,
    "manufacturing": 10,
    "education": 6,
    "media": 6,
    "logistics": 6,
    "professional_services": 7,
    "energy": 3,
    "public_sector": 3,
}
# A HubSpot industry is one of its own enumeration, a Salesforce one a pick of the org's list.
INDUSTRY_SPELLINGS: Final[dict[str, dict[str, tuple[str, ...]]]] = {
    "hubspot": {
        "software": _words("COMPUTER_SOFTWARE INTERNET INFORMATION_TECHNOLOGY_AND_SERVICES"),
        "fintech": ("FINANCIAL_SERVICES",),
        "banking": _words("BANKING INVESTMENT_BANKING CAPITAL_MARKETS"),
        "healthcare": _words("HOSPITAL_HEALTH_CARE BIOTECHNOLOGY MEDICAL_DEVICES"),
        "retail": _words("RETAIL CONSUMER_GOODS APPAREL_FASHION"),
        "manufacturing": _words("MACHINERY INDUSTRIAL_AUTOMATION AUTOMOTIVE"),
        "education": _words("EDUCATION_MANAGEMENT HIGHER_EDUCATION E_LEARNING"),
        "media": _words("MEDIA_PRODUCTION ONLINE_MEDIA PUBLISHING"),
        "logistics": _words("LOGISTICS_AND_SUPPLY_CHAIN TRANSPORTATION_TRUCKING_RAILROAD"),
        "professional_services": _words("MANAGEMENT_CONSULTING LEGAL_SERVICES ACCOUNTING"),
        "energy": _words("OIL_ENERGY RENEWABLES_ENVIRONMENT UTILITIES"),
        "public_sector": _words("GOVERNMENT_ADMINISTRATION NONPROFIT_ORGANIZATION_MANAGEMENT"),
    },
    "salesforce": {
        "software": ("Technology", "Software", "Computer Software"),
        "fintech": ("Financial Services", "Finance", "FinTech"),
        "banking": ("Banking", "Insurance"),
        "healthcare": ("Healthcare", "Biotechnology"),
        "retail": ("Retail", "Apparel"),
        "manufacturing": ("Manufacturing", "Machinery", "Engineering"),
        "education": ("Education",),
        "media": ("Media", "Entertainment", "Communications"),
        "logistics": ("Shipping", "Transportation"),
        "professional_services": ("Consulting", "Professional Services"),
        "energy": ("Energy", "Utilities"),
        "public_sector": ("Government", "Not For Profit"),
    },
}
LEGAL_FORMS: Final = {
    "US": ("Inc.", "LLC", "Corp.", "Inc", ""),
    "CA": ("Inc.", "Ltd."),
    "GB": ("Ltd", "plc", "Limited"),
    "IE": ("Ltd", "DAC"),
    "DE": ("GmbH", "AG", "GmbH & Co. KG"),
    "CH": ("AG", "SA"),
    "FR": ("SAS", "SA", "SARL"),
    "SE": ("AB",),
    "DK": ("A/S", "ApS"),
    "NL": ("B.V.",),
    "ES": ("S.L.", "S.A."),
    "IT": ("S.p.A.", "S.r.l."),
    "AU": ("Pty Ltd",),
    "JP": ("株式会社", "K.K."),
    "CN": ("有限公司", "Co., Ltd."),
    "SG": ("Pte. Ltd.",),
    "IN": ("Pvt. Ltd.",),
    "BR": ("Ltda.",),
    "IL": ("Ltd.", "בע״מ"),
    "AE": ("FZ-LLC",),
}
FREE_MAIL: Final = ("freemail.example", "mailbox.example")

DEPARTMENTS: Final = {
    "marketing": ("Marketing", "Marketing & Growth", "MKTG"),
    "sales": ("Sales", "Business Development"),
    "it": ("IT", "Information Technology", "Engineering"),
    "finance": ("Finance", "Finance & Ops", "Accounting"),
    "operations": ("Operations", "Ops", "RevOps"),
    "hr": ("HR", "People", "Human Resources"),
    "executive": ("Executive", "Management", "C-Suite"),
}
TITLES: Final = {
    "marketing": (
        "Marketing Manager",
        "Director of Marketing",
        "VP Marketing",
        "CMO",
        "Head of Growth",
        "Demand Generation Specialist",
        "Directrice Marketing",
        "Senior Marketing Analyst",
        "Marketing Intern",
    ),
    "sales": (
        "Account Executive",
        "Sales Manager",
        "VP of Sales",
        "Account Director",
        "Vertriebsleiter",
        "SDR",
        "Regional Sales Director",
        "Partner Manager",
    ),
    "it": (
        "Software Engineer",
        "CTO",
        "IT Manager",
        "Head of Data",
        "Data Engineer",
        "Senior Developer",
        "VP Engineering",
        "Leiter IT",
        "Systems Administrator",
    ),
    "finance": (
        "CFO",
        "Finance Manager",
        "Controller",
        "Assistant to the CFO",
        "Accountant",
        "VP Finance",
        "Director of Payments",
    ),
    "operations": (
        "Operations Manager",
        "COO",
        "RevOps Lead",
        "Director of Operations",
        "Operations Coordinator",
        "Logistics Analyst",
    ),
    "hr": ("HR Business Partner", "Head of People", "Recruiter", "CHRO", "HR Manager"),
    "executive": (
        "CEO",
        "Founder",
        "Co-Founder & CEO",
        "Owner",
        "Geschäftsführer",
        "Managing Partner",
        "President",
        "代表取締役",
    ),
}
LEAD_SOURCES: Final = (
    "Web",
    "Webinar",
    "Partner Referral",
    "Trade Show",
    "Paid Search",
    "Purchased List",
    "Content Download",
    "Cold Call",
)
FEATURES: Final = ("dashboards", "segments", "exports", "alerts", "api", "forecasts", "sharing")
PAGES: Final = (
    "/",
    "/pricing",
    "/docs",
    "/docs/api",
    "/blog/segmentation-guide",
    "/blog/rfm-models",
    "/blog/clean-crm-data",
    "/demo",
    "/customers",
    "/integrations",
    "/webinars",
)
MAILINGS: Final = (
    "newsletter-october",
    "product-update",
    "winter-webinar",
    "pricing-change",
    "onboarding-series",
)
CAMPAIGNS: Final = (
    "Winter Webinar 2026",
    "Fintech Breakfast",
    "Data Quality Ebook",
    "Trade Show Autumn",
    "Win-back 2026",
)


def plain(text: str) -> str:
    """The ASCII letters and digits of a name, lower case: `Weiß` -> `weiss`."""
    text = text.replace("ß", "ss").replace("ø", "o").replace("Ø", "O")
    decomposed = unicodedata.normalize("NFKD", text)
    return "".join(c for c in decomposed if c.isascii() and c.isalnum()).lower()


def pairs(words: str) -> list[tuple[str, str]]:
    """(name as written, its spelling in addresses) of a list of names."""
    split = (word.partition(":") for word in words.split())
    return [(name.replace("-", " "), ascii_ or plain(name)) for name, _, ascii_ in split]
