/*
 * Preloaded into a server by memory.pl: lets allocations of one backend fail.
 *
 * The file that FAIL_CONTROL names is mapped by the postmaster, and so by all
 * its children; memory.pl writes to it.
 */
#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <stdlib.h>
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

/* Is this one to fail? */
static int
fails(void)
{
	if (control == NULL || control->pid == 0 || control->pid != getpid())
		return 0;
	if (control->succeed > 0)
	{
		control->succeed--;
		return 0;
	}
	if (control->fail <= 0)
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
