from django.db import models


class Customer(models.Model):
    name = models.TextField()

    class Meta:
        db_table = "customers"


class Order(models.Model):
    customer = models.ForeignKey(Customer, models.CASCADE)
    shipped_at = models.DateTimeField(null=True)

    class Meta:
        db_table = "orders"


class Invoice(models.Model):
    order = models.ForeignKey(Order, models.CASCADE)
    due_at = models.DateTimeField()

    class Meta:
        db_table = "invoices"
