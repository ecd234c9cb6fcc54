from django.db import DatabaseError, connection
from django.test import TestCase
from django.utils import timezone

from adopted.models import Customer, Invoice, Order


class AgreementTest(TestCase):
    def test_models(self):
        order = Order.objects.create(customer=Customer.objects.create(name="Ann"))
        Invoice.objects.create(order=order, due_at=timezone.now())
        self.assertEqual(Invoice.objects.get(order__customer__name="Ann").order, order)

    def test_refused(self):
        with connection.cursor() as cursor, self.assertRaisesMessage(DatabaseError, 'breaks the schema convention "timestamptz"'):
            cursor.execute("ALTER TABLE orders ADD delivered_at timestamp")
