#include "core/registry/known.h"

#include "core/base/memory.h"
#include "core/base/words.h"
#include "core/registry/search.h"
#include <stddef.h>
#include <string.h>

/* Driver, package, address words, option words. */
static const struct known_driver drivers[] = {
    {"dccp", "modcat",
     "DCCP,DCCP-CONNECT,DCCP-L,DCCP-LISTEN,DCCP4,DCCP4-CONNECT,DCCP4-L,DCCP4-LISTEN,"
     "DCCP6,DCCP6-CONNECT,DCCP6-L,DCCP6-LISTEN",
     "ccid,dccp-set-ccid"},
    {"exec", "modcat", "EXEC,SHELL,SYSTEM",
     "dash,fdin,fdout,login,nofork,path,pgid,pipes,pty,setpgid,shell,sighup,sigint,"
     "sigquit,stderr"},
    {"fd", "modcat", "ACCEPT,ACCEPT-FD,FD", NULL},
    {"file", "modcat", "CREAT,CREATE,FILE,GOPEN,OPEN", NULL},
    {"generic", "modcat",
     "DATAGRAM,DGRAM,SENDTO,SOCKET-CONNECT,SOCKET-DATAGRAM,SOCKET-LISTEN,"
     "SOCKET-RECV,SOCKET-RECVFROM,SOCKET-SENDTO",
     NULL},
    {"interface", "modcat", "IF,INTERFACE",
     "allmulti,automedia,iff-allmulti,iff-automedia,iff-broadcast,iff-debug,"
     "iff-loopback,iff-master,iff-multicast,iff-noarp,iff-notrailers,"
     "iff-pointopoint,iff-portsel,iff-promisc,iff-running,iff-slave,iff-up,loopback,"
     "master,multicast,noarp,notrailers,pointopoint,portsel,promisc,retrieve-vlan,"
     "running,slave,up,if-mtu,interface-mtu"},
    {"openssl", "modcat-driver-openssl",
     "DTLS,DTLS-C,DTLS-CLIENT,DTLS-CONNECT,DTLS-L,DTLS-LISTEN,DTLS-SERVER,OPENSSL,"
     "OPENSSL-CONNECT,OPENSSL-DTLS-CLIENT,OPENSSL-DTLS-CONNECT,OPENSSL-DTLS-LISTEN,"
     "OPENSSL-DTLS-SERVER,OPENSSL-LISTEN,SSL,SSL-L",
     "alpn,cafile,capath,cert,certificate,cipher,cipherlist,ciphers,ciphersuites,cn,"
     "commonname,compress,crl,crl-all,crlfile,dh,dhparam,dhparams,egd,fips,handshake-timeout,key,"
     "ktls,max-proto-version,max-version,maxfraglen,maxsendfrag,method,min-proto-version,"
     "min-version,no-sni,nosni,openssl-alpn,openssl-cafile,openssl-capath,"
     "openssl-certificate,openssl-cipherlist,openssl-ciphersuites,"
     "openssl-commonname,openssl-compress,openssl-crl,openssl-crl-all,"
     "openssl-dhparam,openssl-dhparams,openssl-egd,openssl-fips,openssl-handshake-timeout,openssl-"
     "key,"
     "openssl-ktls,openssl-max-proto-version,openssl-maxfraglen,openssl-maxsendfrag,"
     "openssl-method,openssl-min-proto-version,openssl-no-sni,"
     "openssl-passphrase-env,openssl-passphrase-file,openssl-pseudo,openssl-psk-env,"
     "openssl-psk-file,openssl-psk-identity,openssl-session,openssl-snihost,"
     "openssl-verify,passphrase-env,passphrase-file,pseudo,psk-env,psk-file,"
     "psk-identity,session-file,snihost,verify"},
    {"pipe", "modcat", "ECHO,FIFO,PIPE", NULL},
    {"posixmq", "modcat",
     "POSIXMQ,POSIXMQ-BIDIRECTIONAL,POSIXMQ-READ,POSIXMQ-RECEIVE,POSIXMQ-RECV,POSIXMQ-SEND,"
     "POSIXMQ-WRITE",
     "mq-flush,mq-maxmsg,mq-msgsize,mq-prio,posixmq-flush,posixmq-maxmsg,posixmq-msgsize,"
     "posixmq-priority"},
    {"proxy", "modcat", "PROXY,PROXY-CONNECT",
     "http-version,ignorecr,proxy-auth,proxy-authorization,proxy-authorization-file,"
     "proxy-resolve,proxyauth,proxyauthfile,proxyport,resolv,resolve"},
    {"pty", "modcat", "PTY",
     "b0,b1000000,b110,b115200,b1152000,b1200,b134,b150,b1500000,b1800,b19200,b200,"
     "b2000000,b230400,b2400,b2500000,b300,b3000000,b3500000,b38400,b4000000,"
     "b460800,b4800,b50,b500000,b57600,b576000,b600,b75,b921600,b9600,brkint,bs0,"
     "bs1,bsdly,cfmakeraw,clocal,cr0,cr1,cr2,cr3,crdly,cread,crterase,crtkill,"
     "crtscts,cs5,cs6,cs7,cs8,csize,cstopb,ctlecho,ctty,discard,echo,echoctl,echoe,"
     "echok,echoke,echonl,echoprt,eof,eol,eol2,erase,ff0,ff1,ffdly,flusho,hup,hupcl,"
     "icanon,icrnl,iexten,ignbrk,igncr,ignpar,imaxbel,inlcr,inpck,intr,isig,ispeed,"
     "istrip,iuclc,ixany,ixoff,ixon,kill,link,lnext,min,nl0,nl1,nldly,noflsh,ocrnl,"
     "ofdel,ofill,olcuc,onlcr,onlret,onocr,openpty,opost,ospeed,parenb,parmrk,"
     "parodd,pendin,prterase,ptmx,pty-interval,pty-intervall,pty-wait-slave,quit,"
     "raw,rawer,reprint,rprnt,sane,setflags,sitout-eio,start,stop,susp,swtc,swtch,"
     "symbolic-link,tab0,tab1,tab2,tab3,tabdly,tandem,termios-cfmakeraw,"
     "termios-rawer,termios-setflags,time,tiocsctty,tiocswinsz,winsz,tostop,vdiscard,veof,veol,"
     "veol2,verase,vintr,"
     "vkill,vlnext,vmin,vquit,vreprint,vstart,vstop,vsusp,vswtc,vt0,vt1,vtdly,vtime,"
     "vwerase,wait-slave,waitslave,werase,xcase,xtabs"},
    {"rawip", "modcat",
     "IP,IP-DATAGRAM,IP-DGRAM,IP-RECV,IP-RECVFROM,IP-SEND,IP-SENDTO,IP4,"
     "IP4-DATAGRAM,IP4-DGRAM,IP4-RECV,IP4-RECVFROM,IP4-SEND,IP4-SENDTO,IP6,"
     "IP6-DATAGRAM,IP6-DGRAM,IP6-RECV,IP6-RECVFROM,IP6-SEND,IP6-SENDTO",
     NULL},
    {"readline", "modcat-driver-readline", "READLINE",
     "history,history-file,noecho,noprompt,prompt"},
    {"sctp", "modcat-driver-sctp",
     "SCTP,SCTP-CONNECT,SCTP-L,SCTP-LISTEN,SCTP4,SCTP4-CONNECT,SCTP4-L,SCTP4-LISTEN,"
     "SCTP6,SCTP6-CONNECT,SCTP6-L,SCTP6-LISTEN",
     "sctp-maxseg,sctp-maxseg-late,sctp-nodelay"},
    {"socketpair", "modcat", "SOCKETPAIR", NULL},
    {"socks", "modcat", "SOCKS,SOCKS4,SOCKS4A,SOCKS5,SOCKS5-BIND,SOCKS5-CONNECT,SOCKS5-LISTEN",
     "socks-password,socks-password-file,sockspass,socksport,socksuser"},
    {"stdio", "modcat", "-,STDERR,STDIN,STDIO,STDOUT", NULL},
    {"tcp", "modcat",
     "INET,INET-L,INET-LISTEN,INET4,INET4-L,INET4-LISTEN,INET6,INET6-L,INET6-LISTEN,"
     "TCP,TCP-CONNECT,TCP-L,TCP-LISTEN,TCP4,TCP4-CONNECT,TCP4-L,TCP4-LISTEN,TCP6,"
     "TCP6-CONNECT,TCP6-L,TCP6-LISTEN",
     "cork,defer-accept,info,keepcnt,keepidle,keepintvl,linger2,maxseg,maxseg-late,"
     "mss,mss-late,nodelay,quickack,syncnt,tcp-cork,tcp-defer-accept,tcp-info,"
     "tcp-keepcnt,tcp-keepidle,tcp-keepintvl,tcp-linger2,tcp-maxseg,tcp-maxseg-late,"
     "tcp-md5sig,tcp-nodelay,tcp-quickack,tcp-syncnt,tcp-window-clamp,window-clamp"},
    {"tcpwrap", "modcat-driver-tcpwrap", NULL,
     "allow-table,deny-table,hosts-allow,hosts-deny,libwrap,tcpwrap,tcpwrap-dir,"
     "tcpwrap-etc,tcpwrap-hosts-allow-table,tcpwrap-hosts-deny-table,tcpwrapper,"
     "tcpwrappers,wrap"},
    {"text", "modcat", "STALL,TEXT", NULL},
    {"tun", "modcat", "TUN", "iff-no-pi,no-pi,tun-device,tun-name,tun-no-pi,tun-type"},
    {"udp", "modcat",
     "UDP,UDP-CONNECT,UDP-DATAGRAM,UDP-DGRAM,UDP-L,UDP-LISTEN,UDP-RECV,UDP-RECVFROM,"
     "UDP-SEND,UDP-SENDTO,UDP4,UDP4-CONNECT,UDP4-DATAGRAM,UDP4-DGRAM,UDP4-L,"
     "UDP4-LISTEN,UDP4-RECV,UDP4-RECVFROM,UDP4-SEND,UDP4-SENDTO,UDP6,UDP6-CONNECT,"
     "UDP6-DATAGRAM,UDP6-DGRAM,UDP6-L,UDP6-LISTEN,UDP6-RECV,UDP6-RECVFROM,UDP6-SEND,"
     "UDP6-SENDTO",
     NULL},
    {"udplite", "modcat",
     "UDPLITE,UDPLITE-CONNECT,UDPLITE-DATAGRAM,UDPLITE-DGRAM,UDPLITE-L,"
     "UDPLITE-LISTEN,UDPLITE-RECV,UDPLITE-RECVFROM,UDPLITE-SEND,UDPLITE-SENDTO,"
     "UDPLITE4,UDPLITE4-CONNECT,UDPLITE4-DATAGRAM,UDPLITE4-DGRAM,UDPLITE4-L,"
     "UDPLITE4-LISTEN,UDPLITE4-RECV,UDPLITE4-RECVFROM,UDPLITE4-SEND,UDPLITE4-SENDTO,"
     "UDPLITE6,UDPLITE6-CONNECT,UDPLITE6-DATAGRAM,UDPLITE6-DGRAM,UDPLITE6-L,"
     "UDPLITE6-LISTEN,UDPLITE6-RECV,UDPLITE6-RECVFROM,UDPLITE6-SEND,UDPLITE6-SENDTO",
     "udplite-recv-cscov,udplite-send-cscov"},
    {"unix", "modcat",
     "ABSTRACT,ABSTRACT-CLIENT,ABSTRACT-CONNECT,ABSTRACT-LISTEN,ABSTRACT-RECV,"
     "ABSTRACT-RECVFROM,ABSTRACT-SENDTO,LOCAL,UNIX,UNIX-CLIENT,UNIX-CONNECT,UNIX-L,"
     "UNIX-LISTEN,UNIX-RECV,UNIX-RECVFROM,UNIX-SEND,UNIX-SENDTO",
     "bind-tempname,tightsocklen,unix-bind-tempname,unix-tightsocklen"},
    {"vsock", "modcat", "VSOCK,VSOCK-CONNECT,VSOCK-L,VSOCK-LISTEN", NULL},
};

static const struct known_driver *find(const char *word, size_t list)
{
    for (size_t i = 0; i < sizeof drivers / sizeof drivers[0]; i++)
        if (words_list_has(*(const char *const *)((const char *)&drivers[i] + list), word))
            return &drivers[i];
    return NULL;
}

const struct known_driver *known_by_type(const char *word)
{
    return find(word, offsetof(struct known_driver, types));
}

const struct known_driver *known_by_option(const char *word)
{
    return find(word, offsetof(struct known_driver, options));
}

/* The package whose library was missing when this program was configured, and with it the driver;
 * to be freed. NULL: the driver was built. */
static char *missing_library(const struct known_driver *known)
{
    const char *cursor = MODCAT_LEFT_OUT, *word;
    size_t length, name = strlen(known->name);
    while (words_next(&cursor, &word, &length))
        if (length > name && word[name] == ':' && strncmp(word, known->name, name) == 0)
            return memory_copy_span(word + name + 1, length - name - 1);
    return NULL;
}

char *known_absence(const struct known_driver *known)
{
    AUTO_FREE char *library = missing_library(known);
    if (library != NULL)
        return memory_format("it is offered by the driver \"%s\", which this build has left out; "
                             "install %s, and configure and build again",
                             known->name, library);
    if (search_has_refused())
        return memory_format("it is offered by the driver \"%s\", which is not among those that "
                             "are left: drivers were refused, see the warning above",
                             known->name);
    return memory_format("it is offered by the driver \"%s\", which is not installed; install the "
                         "package %s",
                         known->name, known->package);
}
