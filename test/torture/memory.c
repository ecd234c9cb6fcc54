/*
 * Preloaded into a server by memory.pl: lets allocations of one backend fail.
 *
 * The file that FAIL_CONTROL names is mapped by the postmaster, and so by all
 * its children; memory.pl writes to it.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <execinfo.h>
#include <fcntl.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

extern void *__libc_malloc(size_t size);
extern void *__libc_calloc(size_t count, size_t size);
extern void *__libc_realloc(void *pointer, size_t size);

typedef struct Control
{
	int			pid;			/* of the backend, 0 for none */
	int			succeed;		/* so many allocations succeed yet */
	int			fail;			/* and then so many fail */
	int			failed;			/* so many have failed */
}			Control;

static volatile Control *control = NULL;

static __attribute__((constructor))
void
map_control(void)
{
	const char *path = getenv("FAIL_CONTROL");
	int			fd = path ? open(path, O_RDWR) : -1;
	void	   *address;

	if (fd < 0)
		return;
	address = mmap(NULL, sizeof(Control), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	close(fd);
	if (address != MAP_FAILED)
		control = address;
}

/*
 * Does PostgreSQL look up an entry of its statistics?  It does not survive a failure there:
 * the entry stays in its hash table without a reference, which pgstat_gc_entry_refs() follows.
 */
static int
is_lookup_of_statistics(void)
{
	void	   *frames[30];
	int			count = backtrace(frames, 30);

	for (int i = 0; i < count; i++)
	{
		Dl_info		function;

		if (dladdr(frames[i], &function) != 0 && function.dli_sname != NULL &&
			strcmp(function.dli_sname, "pgstat_get_entry_ref") == 0)
			return 1;
	}
	return 0;
}

/* Is this one to fail? */
static int
fails(void)
{
	static int	looking = 0;	/* which allocates on its part */
	int			excused;

	if (control == NULL || control->pid == 0 || control->pid != getpid())
		return 0;
	if (control->succeed > 0)
	{
		control->succeed--;
		return 0;
	}
	if (control->fail <= 0 || looking)
		return 0;
	looking = 1;
	excused = is_lookup_of_statistics();
	looking = 0;
	if (excused)
		return 0;
	control->fail--;
	control->failed++;
	errno = ENOMEM;
	return 1;
}

void *
malloc(size_t size)
{
	return fails() ? NULL : __libc_malloc(size);
}

void *
calloc(size_t count, size_t size)
{
	return fails() ? NULL : __libc_calloc(count, size);
}

void *
realloc(void *pointer, size_t size)
{
	return fails() ? NULL : __libc_realloc(pointer, size);
}
