/* mistakes.h: what to do about mistakes that are common on command lines: options as other tools
 * have them, and arguments that are not two addresses. */

#ifndef CORE_COMMAND_MISTAKES_H
#define CORE_COMMAND_MISTAKES_H

/* Advice for an unknown option that another program of this kind has, or NULL. */
const char *mistakes_option_advice(const char *argument);

/* Logs what the arguments look like (NULL-terminated; there are not two), and what is probably
 * wrong with them. `program` is what the user has typed to start modcat. */
void mistakes_explain_addresses(char *const *arguments, const char *program);

#endif
