"""How to reproduce a result, as the last section of a page."""

import json

from keras_pruning.reports.html.page import Section


def recipe_section(recorded, command=None, config=None, id="recipe"):
    """Returns the section of a page with everything that a result depends on.

    Args:
        recorded: dictionary for JSON, the recipe as the result has recorded it.
        command: text of the command that makes the result of the config, or `None`.
        config: nested dictionaries of a config, which the page shows as YAML, or `None`.
        id: anchor of the section, unique on the page.
    """
    # Commands without a page do without YAML.
    import yaml

    text = None if config is None else yaml.safe_dump(config, sort_keys=False, allow_unicode=True)
    recipe = json.dumps(recorded, indent=2, ensure_ascii=False, default=str)
    context = {"command": command, "config": text, "recipe": recipe}
    return Section("Recipe", "recipe.html.j2", context, id)
