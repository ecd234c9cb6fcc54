"""A site that shows the notes of an organization."""

from django.db import connection, models
from django.http import HttpResponse
from django.urls import path
from xact import in_xact, xact


class Note(models.Model):
    title = models.TextField()

    class Meta:
        app_label = "notes"
        db_table = "notes"


@in_xact
def titles(request):
    return HttpResponse(" ".join(note.title for note in Note.objects.order_by("title")))


def add_and_fail(request):
    with connection.cursor() as cursor:
        cursor.execute("INSERT INTO notes (title) VALUES ('a3')")
    raise LookupError("the application's")


def middleware(get_response):
    """What the page says not to do."""

    def enter(request):
        with xact("usr_1", "org_a"):
            return get_response(request)

    return enter


urlpatterns = [path("titles", titles), path("fail", in_xact(add_and_fail)), path("middleware", add_and_fail)]
