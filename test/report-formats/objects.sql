-- Objects of every kind, with names that mean something in one format or another.
SET dbkit.enforce = off;
CREATE SCHEMA "a.b""<&>";
CREATE TABLE "a.b""<&>"."</testcase>" ("]]>" integer, "&lt;" smallint, "'x'=""y""" timestamp);
CREATE TABLE "a.b""<&>".U&"\0001\001B[31m\FFFE\FFFF\007F" (U&"\000B" integer);
CREATE TABLE "a.b""<&>".U&"line\000Afeed\000Dreturn\0009tab" (U&"\000A::error title=x::forged" integer, U&"\000D\000A</failure>" smallint);
CREATE TABLE "a.b""<&>"."%0A%25%3A,:::" ("a,b:c%" integer, "50%" smallint);
CREATE TABLE "a.b""<&>"."| a | `b` \| <br> &amp;" ("_i_ **b** ~~s~~ [l](u) ![i](u) $m$" integer, "\" smallint);
CREATE TABLE "a.b""<&>"."{0} {{1}} %s ""\u0041\n" ("%s%n{}" integer);
CREATE TABLE "a.b""<&>"."Größe 表 😀 é" ("Ünïcödé" integer);
CREATE TABLE "a.b""<&>".fine (n bigint);
CREATE TYPE "a.b""<&>"."<enum>" AS ENUM ('a');
CREATE VIEW "a.b""<&>"."<view>" AS SELECT 1;
CREATE FUNCTION "a.b""<&>"."<function>"("<&>" integer, text[]) RETURNS bigint LANGUAGE sql SECURITY DEFINER AS 'SELECT 1';
CREATE SCHEMA empty;
