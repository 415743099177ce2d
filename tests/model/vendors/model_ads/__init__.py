"""An ad platform of nothing but lists, which cannot be read."""

from audiencehub.connector import Spec

SPEC = Spec("model_ads", "Model ads", "Lists of people.", destination="tests.model.world:AdLists")
