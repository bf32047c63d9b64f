#define BARRIER __asm__ volatile("" ::: "memory")
