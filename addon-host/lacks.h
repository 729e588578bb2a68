#ifndef NR_ADDON_HOST_LACKS_H
#define NR_ADDON_HOST_LACKS_H

/* From now on the dynamic linker does not find this function of the program. 0 or a negative errno. */
int nr_lack(const char *function);

#endif
