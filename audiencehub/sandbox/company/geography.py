"""What is known of the places where Acme's people live and work, for the geographic models."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class Surroundings:
    """A city as a map and a statistical yearbook have it, rounded."""

    latitude: float
    longitude: float
    timezone: str
    """IANA."""
    climate: str
    density: int
    """Inhabitants per km²."""
    economy: str
    """What the place lives on."""


def _read(line: str) -> tuple[str, Surroundings]:
    city, latitude, longitude, zone, climate, density, economy = line.split("|")
    return city, Surroundings(
        float(latitude), float(longitude), zone, climate, int(density), economy
    )


SURROUNDINGS: Final = dict(
    _read(line)
    for line in """\
New York|40.71|-74.01|America/New_York|subtropical|11300|finance
San Francisco|37.77|-122.42|America/Los_Angeles|mediterranean|7200|technology
Austin|30.27|-97.74|America/Chicago|subtropical|1160|technology
Chicago|41.88|-87.63|America/Chicago|continental|4600|trade
Boston|42.36|-71.06|America/New_York|continental|5400|life_sciences
Seattle|47.61|-122.33|America/Los_Angeles|mediterranean|3400|technology
Atlanta|33.75|-84.39|America/New_York|subtropical|1400|logistics
Denver|39.74|-104.99|America/Denver|arid|1800|energy
Miami|25.76|-80.19|America/New_York|tropical|4900|tourism
San José|37.34|-121.89|America/Los_Angeles|mediterranean|2200|technology
Toronto|43.65|-79.38|America/Toronto|continental|4400|finance
Montréal|45.50|-73.57|America/Toronto|continental|4800|manufacturing
Vancouver|49.28|-123.12|America/Vancouver|oceanic|5700|trade
London|51.51|-0.13|Europe/London|oceanic|5700|finance
Manchester|53.48|-2.24|Europe/London|oceanic|4800|services
Dublin|53.35|-6.26|Europe/Dublin|oceanic|5000|technology
Berlin|52.52|13.41|Europe/Berlin|oceanic|4100|technology
München|48.14|11.58|Europe/Berlin|continental|4900|manufacturing
Hamburg|53.55|9.99|Europe/Berlin|oceanic|2500|trade
Frankfurt am Main|50.11|8.68|Europe/Berlin|oceanic|3000|finance
Zürich|47.37|8.54|Europe/Zurich|oceanic|4800|finance
Paris|48.86|2.35|Europe/Paris|oceanic|20200|services
Lyon|45.76|4.84|Europe/Paris|oceanic|10900|life_sciences
Stockholm|59.33|18.07|Europe/Stockholm|continental|5200|technology
København|55.68|12.57|Europe/Copenhagen|oceanic|7300|trade
Amsterdam|52.37|4.90|Europe/Amsterdam|oceanic|5300|trade
Madrid|40.42|-3.70|Europe/Madrid|mediterranean|5500|services
Barcelona|41.39|2.17|Europe/Madrid|mediterranean|16000|tourism
Milano|45.46|9.19|Europe/Rome|subtropical|7600|manufacturing
Sydney|-33.87|151.21|Australia/Sydney|subtropical|440|finance
Tokyo|35.68|139.69|Asia/Tokyo|subtropical|6400|manufacturing
上海|31.23|121.47|Asia/Shanghai|subtropical|3900|trade
Singapore|1.35|103.82|Asia/Singapore|tropical|8100|finance
Bengaluru|12.97|77.59|Asia/Kolkata|tropical|11000|technology
São Paulo|-23.55|-46.63|America/Sao_Paulo|subtropical|7500|finance
תל אביב|32.08|34.78|Asia/Jerusalem|mediterranean|8700|technology
دبي|25.20|55.27|Asia/Dubai|arid|1000|trade""".splitlines()
)
