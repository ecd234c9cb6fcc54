/*-------------------------------------------------------------------------
 *
 * statement_text.h
 *		The text of the statement that is judged.
 *
 *-------------------------------------------------------------------------
 */
#ifndef DBKIT_STATEMENT_TEXT_H
#define DBKIT_STATEMENT_TEXT_H

#include "nodes/plannodes.h"

/* A utility statement that is being executed */
typedef struct RunningStatement
{
	const struct RunningStatement *outer;
	const PlannedStmt *planned;
	const char *source;
	bool		top_level;		/* the client sent it */
	bool		judged;			/* by the rules about changes */
	const List *locked;			/* Oid; what only we could read before it */
} RunningStatement;

typedef struct Token
{
	int			start;			/* offsets in the text */
	int			end;
	int			code;			/* of the grammar, which is the character
								 * itself for commas and brackets */
} Token;

typedef struct StatementText
{
	char	   *text;
	int			offset;			/* of it in what was sent: locations in parse
								 * trees count from there */
	Token	   *tokens;
	int			n_tokens;
} StatementText;

extern bool dbkit_cut_statement_text(const RunningStatement *running, const Node *statement,
									 StatementText *text);
extern void dbkit_split_statement_text(StatementText *text);
extern bool dbkit_read_statement_text(const RunningStatement *running, const Node *statement,
									  StatementText *text);
extern int	dbkit_token_at(const StatementText *text, int location);
extern int	dbkit_end_of_part(const StatementText *text, int first);
extern int	dbkit_token_length(const Token *token);
extern bool dbkit_is_word(const StatementText *text, int i, const char *word);
extern int	dbkit_end_of_token(const StatementText *text, int i);
extern int	dbkit_end_of_name(const StatementText *text, int i);
extern char *dbkit_tokens_as_text(const StatementText *text, int first, int end);

#endif							/* DBKIT_STATEMENT_TEXT_H */
