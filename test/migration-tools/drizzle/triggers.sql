--> statement-breakpoint
CREATE TRIGGER updated_at BEFORE UPDATE ON organizations FOR EACH ROW EXECUTE PROCEDURE updated_at();
--> statement-breakpoint
CREATE TRIGGER updated_at BEFORE UPDATE ON orders FOR EACH ROW EXECUTE PROCEDURE updated_at();
