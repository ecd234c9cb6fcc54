/*-------------------------------------------------------------------------
 *
 * signature.c
 *		Signed mode of the tenant context: only who holds the key can enter.
 *
 * The signature is HMAC-SHA256 (RFC 2104) over five netstrings: database,
 * role, user, organization, nonce.  The nonce is known to one backend only and
 * good for one call of dbkit.enter, so a signature cannot be used again.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "commands/dbcommands.h"
#include "common/hmac.h"
#include "fmgr.h"
#include "mb/pg_wchar.h"
#include "miscadmin.h"
#include "storage/fd.h"
#include "utils/builtins.h"
#include "utils/guc.h"

#include "common.h"
#include "context/netstring.h"
#include "context/signature.h"

#define KEY_MIN_BYTES		32
#define KEY_MAX_BYTES		1024

static char *context_key_file = NULL;
static dbkit_nonce_text pending_nonce = "";

/* Tell whether a key is set, so that only who holds it can enter */
bool
dbkit_context_is_signed(void)
{
	return context_key_file != NULL && context_key_file[0] != '\0';
}

/* Make a nonce: random bytes as hexadecimal digits */
void
dbkit_make_nonce(dbkit_nonce_text nonce)
{
	uint8		bytes[DBKIT_NONCE_BYTES];

	if (!pg_strong_random(bytes, sizeof(bytes)))
		ereport(ERROR,
				(errcode(ERRCODE_INTERNAL_ERROR),
				 errmsg("could not generate a random nonce")));
	hex_encode((char *) bytes, sizeof(bytes), nonce);
	nonce[2 * DBKIT_NONCE_BYTES] = '\0';
}

/* dbkit.nonce(): 32 hexadecimal digits to sign in the next dbkit.enter */
PG_FUNCTION_INFO_V1(dbkit_nonce);
Datum
dbkit_nonce(PG_FUNCTION_ARGS)
{
	dbkit_make_nonce(pending_nonce);
	PG_RETURN_TEXT_P(cstring_to_text(pending_nonce));
}

/* Hand out the nonce, once; an empty string if there is none */
void
dbkit_take_nonce(dbkit_nonce_text nonce)
{
	memcpy(nonce, pending_nonce, sizeof(pending_nonce));
	pending_nonce[0] = '\0';
}

/* Refuse to enter, and tell the reason in the server's log only */
static void
reject_key_file(const char *reason)
{
	ereport(ERROR,
			(errcode(ERRCODE_CONFIG_FILE_ERROR),
			 errmsg("the key for tenant contexts cannot be used"),
			 errdetail_log("File \"%s\": %s.", context_key_file, reason),
			 errhint("The server's log has the reason.")));
}

/*
 * Read the key: the file's bytes without a line feed at the end.
 *
 * It is read afresh each time and not kept, so no process holds on to an old
 * key.  The demands on the file are those of PostgreSQL on its own keys (see
 * check_ssl_key_file_permissions in be-secure-common.c), without root's files.
 */
static int
read_key(uint8 key[KEY_MAX_BYTES + 1])
{
	int			fd = OpenTransientFile(context_key_file, O_RDONLY | O_NONBLOCK | PG_BINARY);
	struct stat st;
	int			length;

	if (fd < 0 || fstat(fd, &st) < 0)
		reject_key_file(psprintf("%s", strerror(errno)));
	if (!S_ISREG(st.st_mode))
		reject_key_file("it is not a regular file");
	if (st.st_uid != geteuid())
		reject_key_file("it does not belong to the server's account");
	if (st.st_mode & (S_IRWXG | S_IRWXO))
		reject_key_file("it is open to others than its owner; make its mode 0600");

	length = read(fd, key, KEY_MAX_BYTES + 1);
	if (length < 0)
		reject_key_file(psprintf("%s", strerror(errno)));
	CloseTransientFile(fd);

	if (length > 0 && key[length - 1] == '\n')
		length--;
	if (length < KEY_MIN_BYTES || length > KEY_MAX_BYTES)
		reject_key_file(psprintf("it must hold %d to %d bytes", KEY_MIN_BYTES, KEY_MAX_BYTES));
	return length;
}

/* Compute the signature that is due, as lower-case hexadecimal digits */
static void
sign(StringInfo message, dbkit_signature_text signature)
{
	uint8		key[KEY_MAX_BYTES + 1];
	int			key_length = read_key(key);
	uint8		digest[PG_SHA256_DIGEST_LENGTH];
	pg_hmac_ctx *hmac = pg_hmac_create(PG_SHA256);
	bool		done;

	done = hmac != NULL &&
		pg_hmac_init(hmac, key, key_length) >= 0 &&
		pg_hmac_update(hmac, (uint8 *) message->data, message->len) >= 0 &&
		pg_hmac_final(hmac, digest, sizeof(digest)) >= 0;
	pg_hmac_free(hmac);
	explicit_bzero(key, sizeof(key));
	if (!done)
		ereport(ERROR,
				(errcode(ERRCODE_INTERNAL_ERROR),
				 errmsg("could not compute the signature of the tenant context")));

	hex_encode((char *) digest, sizeof(digest), signature);
	signature[DBKIT_SIGNATURE_LENGTH] = '\0';
}

/* Append a value to the message, in UTF-8 whatever the database's encoding */
static void
append_signed_value(StringInfo message, const char *value)
{
	if (value)
		value = pg_server_to_any(value, strlen(value), PG_UTF8);
	dbkit_append_netstring(message, value);
}

/* Sign a list of values, which no list of another length can be taken for */
void
dbkit_sign_values(const char *const values[], int count, dbkit_signature_text signature)
{
	StringInfoData message;

	initStringInfo(&message);
	for (int i = 0; i < count; i++)
		append_signed_value(&message, values[i]);
	sign(&message, signature);
}

static void
compute_signature(const char *user_id, const char *organization_id, const char *nonce,
				  dbkit_signature_text signature)
{
	const char *values[] = {
		get_database_name(MyDatabaseId),
		/* The role whose rights the queries will have, which SET ROLE changes */
		GetUserNameFromId(GetOuterUserId(), false),
		user_id, organization_id, nonce
	};

	dbkit_sign_values(values, lengthof(values), signature);
}

/*
 * Compare in a time that does not tell where they differ
 *
 * timingsafe_bcmp came to PostgreSQL 15 to 17 with a minor release.
 */
bool
dbkit_same_signature(const char *given, const char *expected)
{
	int			difference = 0;

	if (strlen(given) != DBKIT_SIGNATURE_LENGTH)
		return false;
	for (int i = 0; i < DBKIT_SIGNATURE_LENGTH; i++)
		difference |= given[i] ^ expected[i];
	return difference == 0;
}

/*
 * Ensure that the values may be entered: in plain mode always, in signed mode
 * with a valid signature.  Raises insufficient_privilege otherwise.
 */
void
dbkit_check_signature(const char *user_id, const char *organization_id,
					  const char *signature, const char *nonce)
{
	dbkit_signature_text expected;

	if (!dbkit_context_is_signed())
	{
		if (signature == NULL)
			return;
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("the signature cannot be checked without a key"),
				 errhint("Set dbkit.context_key_file, or call dbkit.enter without a signature.")));
	}

	if (signature == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
				 errmsg("the tenant context needs a signature"),
				 errhint("Sign what dbkit.nonce() gives, and call dbkit.enter(user_id, organization_id, signature).")));
	if (nonce[0] == '\0')
		ereport(ERROR,
				(errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
				 errmsg("the signature has no nonce"),
				 errhint("Call dbkit.nonce() before each dbkit.enter, on the same connection.")));

	compute_signature(user_id, organization_id, nonce, expected);
	if (!dbkit_same_signature(signature, expected))
		ereport(ERROR,
				(errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
				 errmsg("the signature of the tenant context is not valid"),
				 errdetail("It must be made for this database, role, user, organization and nonce.")));
}

void
dbkit_signature_init(void)
{
	DefineCustomStringVariable("dbkit.context_key_file",
							   "File with the key that tenant contexts must be signed with.",
							   "Set it where the application's SQL is not trusted to name the tenant; empty for none.",
							   &context_key_file,
							   "",
							   PGC_SIGHUP,
							   GUC_SUPERUSER_ONLY | DBKIT_SETTING,
							   NULL, NULL, NULL);
}
