/* context_swap(void **from, void *to): keeps the registers that a function must keep on the present
 * stack, stores where in *from, and goes on where `to` was stored. ABIs: System V x86-64 psABI,
 * section 3.2.1; AAPCS64, section 6.1. Elsewhere ucontext does it, see switch.c. */

#if defined(__x86_64__)

	.text
	.globl	context_swap
	.hidden	context_swap
	.type	context_swap, @function
context_swap:
#ifdef __CET__
	endbr64
#endif
	pushq	%rbp
	pushq	%rbx
	pushq	%r12
	pushq	%r13
	pushq	%r14
	pushq	%r15
	subq	$8, %rsp
	stmxcsr	(%rsp)
	fnstcw	4(%rsp)
	movq	%rsp, (%rdi)
	movq	%rsi, %rsp
	fldcw	4(%rsp)
	ldmxcsr	(%rsp)
	addq	$8, %rsp
	popq	%r15
	popq	%r14
	popq	%r13
	popq	%r12
	popq	%rbx
	popq	%rbp
	ret
	.size	context_swap, .-context_swap

/* The first of a new stack: calls r12(r13), which does not return. */
	.globl	context_first
	.hidden	context_first
	.type	context_first, @function
context_first:
#ifdef __CET__
	endbr64
#endif
	.cfi_startproc
	.cfi_undefined rip
	movq	%r13, %rdi
	callq	*%r12
	ud2
	.cfi_endproc
	.size	context_first, .-context_first

#elif defined(__aarch64__)

	.text
	.globl	context_swap
	.hidden	context_swap
	.type	context_swap, %function
context_swap:
	hint	#34			/* bti c */
	sub	sp, sp, #160
	stp	x19, x20, [sp]
	stp	x21, x22, [sp, #16]
	stp	x23, x24, [sp, #32]
	stp	x25, x26, [sp, #48]
	stp	x27, x28, [sp, #64]
	stp	x29, x30, [sp, #80]
	stp	d8, d9, [sp, #96]
	stp	d10, d11, [sp, #112]
	stp	d12, d13, [sp, #128]
	stp	d14, d15, [sp, #144]
	mov	x2, sp
	str	x2, [x0]
	mov	sp, x1
	ldp	x19, x20, [sp]
	ldp	x21, x22, [sp, #16]
	ldp	x23, x24, [sp, #32]
	ldp	x25, x26, [sp, #48]
	ldp	x27, x28, [sp, #64]
	ldp	x29, x30, [sp, #80]
	ldp	d8, d9, [sp, #96]
	ldp	d10, d11, [sp, #112]
	ldp	d12, d13, [sp, #128]
	ldp	d14, d15, [sp, #144]
	add	sp, sp, #160
	ret
	.size	context_swap, .-context_swap

/* The first of a new stack: calls x19(x20), which does not return. */
	.globl	context_first
	.hidden	context_first
	.type	context_first, %function
context_first:
	hint	#34			/* bti c */
	.cfi_startproc
	.cfi_undefined x30
	mov	x0, x20
	blr	x19
	brk	#1
	.cfi_endproc
	.size	context_first, .-context_first

#endif

	.section .note.GNU-stack, "", %progbits
