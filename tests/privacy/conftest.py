from tests.api.conftest import problem as problem
from tests.api.conftest import settings as settings
from tests.campaigns.conftest import classroom as classroom
