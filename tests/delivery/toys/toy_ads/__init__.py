"""An ad platform of nothing but lists, which cannot be read."""

from audiencehub.connector import Spec

SPEC = Spec("toy_ads", "Toy ads", "Lists of people.", destination="toys:ToyLists")
