import os

SECRET_KEY = "of no use"
USE_TZ = True
ROOT_URLCONF = "notes"
ALLOWED_HOSTS = ["testserver"]
MIDDLEWARE = ["django.contrib.sessions.middleware.SessionMiddleware"]
SESSION_ENGINE = "django.contrib.sessions.backends.signed_cookies"
DATABASES = {
    "default": {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": os.environ["PGDATABASE"],
        "HOST": os.environ["PGHOST"],
        "PORT": os.environ["PGPORT"],
        "USER": os.environ["PGUSER"],
        "CONN_MAX_AGE": None,
    }
}
