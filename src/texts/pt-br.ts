import type { Catalogue } from "./en.ts";

/** Every text that a person sees, in Brazilian Portuguese. */
export const ptBr = {
  "error.bad_request": "O servidor não entendeu o pedido: {description}",
  "error.unknown_service": "O servidor não oferece esse serviço.",
  "error.too_large": "Isso é grande demais para uma só mensagem ou um só pedido.",
  "error.name_invalid":
    'Um nome tem de 1 a 64 letras de uma só escrita, algarismos, "_", "-" ou "."; não começa com "." nem contém caracteres invisíveis.',
  "error.name_taken": "Esse nome já está em uso.",
  "error.id_reused":
    "Nada foi feito: outro pedido já usou o mesmo id. Tente de novo, e o pedido terá um id novo.",
  "error.channel_exists": "Já existe um canal com esse nome.",
  "error.channel_not_found":
    "Esse canal não existe: `tertulia channels` lista todos, `tertulia create` cria um.",
  "error.user_not_found": "Esse usuário não existe: ninguém com esse nome entrou até hoje.",
  "error.sold_out": "Este pacote esgotou: tertulia shop mostra o que ainda há.",
  "error.too_few_coins":
    "Suas moedas não bastam para este pacote: tertulia shop mostra quantas são.",
  "error.card_not_owned": "Uma das cartas agora é de outra pessoa: tertulia cards mostra as suas.",
  "error.trade_not_found":
    "Não há tal oferta para você, ou ela já acabou: tertulia shop mostra as suas.",
  "error.seated": "Uma das duas pessoas já está em outra partida.",
  "error.term_passed": "Agora outro servidor de jogo cuida da partida, por isso nada foi feito.",
  "error.not_in_match": "Você não está em nenhuma partida: tertulia duel procura uma.",
  "error.match_over": "A partida terminou.",
  "error.not_started": "Antes, os dois jogadores precisam escolher suas cartas.",
  "error.already_ready": "Você já escolheu suas cartas.",
  "error.deck_wrong":
    "Joga-se com 5 a 30 cartas diferentes que você possui: tertulia shop buy basic vende cinco.",
  "error.not_your_turn": "Não é a sua vez.",
  "error.card_not_in_hand": "Esta carta não está na sua mão.",
  "error.card_does_not_beat": "Só uma carta cujo atributo vence o da carta jogada pode anulá-la.",
  "error.already_played": "Você já jogou nesta rodada.",
  "error.too_few_points": "Você tem pontos de menos para esta carta.",
  "error.too_early": "O tempo ainda não acabou.",
  "error.move_unknown": "Este jogo não tem essa jogada.",
  "error.match_not_found":
    "Essa partida não existe ou já acabou: tertulia matches NOME mostra as partidas de alguém.",
  "error.hook_not_found": "Esse hook não existe ou foi revogado: tertulia hooks lista os seus.",
  "error.unauthenticated": "Você precisa entrar primeiro.",
  "error.forbidden": "Você não tem permissão para isso.",
  "error.rate_limited": "Foi muita coisa de uma vez: espere {wait} s.",
  "error.expired":
    "Nada foi feito agora: este pedido é tão antigo que nenhum servidor sabe mais se ele foi atendido antes.",
  "error.behind": "O servidor ainda não tem tudo o que você já viu: tente de novo daqui a pouco.",
  "error.unavailable":
    "Isto precisa da maioria dos servidores, ou do banco de dados deles, que não está disponível: tente de novo daqui a pouco.",
  "error.internal": "O servidor falhou: o log dele tem os detalhes.",
  "error.unsupported":
    "Falta na resposta do servidor algo de que este programa precisa: {description}",
  "original.accepted":
    "O servidor só fala o protocolo original: respondeu OK, mas não tem recibos nem histórico.",
  "original.refused": "O servidor só fala o protocolo original, e recusou: {words}",
  "original.unreadable":
    "Não dá para entender a resposta do servidor a `{service}`, então não se sabe se o pedido foi atendido.",
  "original.noService": "O servidor só fala o protocolo original, que não tem `{service}`.",
  "original.silent":
    "O servidor só fala o protocolo original e não respondeu a `{service}`, então não se sabe se o pedido foi atendido.",

  "reason.no_accounts": "Este cluster não tem contas: seus servidores usam --auth open.",
  "reason.no_session": "Este cluster tem contas, e você não entrou na sua.",
  "reason.session_unknown": "Sua sessão não é deste cluster.",
  "reason.session_expired": "Sua sessão expirou: ficou horas sem uso.",
  "reason.password_changed": "Sua sessão terminou porque a senha foi trocada.",
  "reason.password_wrong": "O nome ou a senha está incorreto.",
  "reason.account_locked": "Um administrador bloqueou esta conta.",
  "reason.not_administrator": "Só um administrador pode fazer isso.",
  "reason.other_user": "Sua sessão é de outro usuário.",
  "reason.registration_closed": "O registro está fechado aqui: peça uma conta a um administrador.",
  "reason.invitation_wanted":
    "Para se registrar aqui, você precisa do convite de um administrador: --invitation TEXTO.",
  "reason.name_in_use":
    "Esse nome, ou um que parece igual, já está em uso: só um administrador pode criar a conta dele.",
  "reason.name_confusable":
    "Esse nome parece igual a um que já existe, e as pessoas confundiriam os dois: escolha outro.",
  "reason.too_many_channels":
    "Você já criou todos os canais que um usuário pode criar; um administrador pode remover alguns.",
  "reason.channel_removed":
    "Um administrador removeu esse canal; só um administrador pode restaurá-lo.",
  "reason.too_many_trades":
    "Você tem ofertas abertas demais, ou demais para esta pessoa: desfaça uma antes.",
  "reason.too_many_hooks":
    "Você atingiu o limite de hooks por usuário: use um hook que já tem ou revogue um antes.",
  "reason.upgrade_unfinished":
    "Talvez um servidor deste cluster seja de uma versão mais antiga: atualize todos os servidores primeiro.",

  "problem.noBroker":
    "Nenhum broker responde em {endpoints}: inicie um com `tertulia up`, ou indique o seu com --broker.",
  "problem.noServer": "Há um broker, mas nenhum servidor respondeu em {seconds} s.",
  "problem.noReference":
    "Nenhuma referência responde em {endpoints}: inicie-a, ou indique a sua com --reference.",
  "problem.keyWanted":
    "O cluster em {endpoints} exige criptografia: informe a chave dele, como tcp://host:porta#chave ou com --server-key-file.",
  "problem.keyUnwanted":
    "O cluster em {endpoints} não usa criptografia, mas foi informada uma chave: retire a chave, ou inicie o cluster com --curve.",
  "problem.otherKey":
    "O cluster em {endpoints} encerrou a conexão: a chave dele não é a que foi informada.",
  "problem.referenceSilent":
    "A referência em {endpoints} não aceita o segredo de {origin}: copie o de um membro.",
  "problem.referenceRefused": "A referência recusou: {description}",
  "problem.secret": "Isto exige o segredo do cluster. {description}",
  "problem.serverName": '"{name}" não é nome de servidor; `tertulia status` lista todos.',
  "problem.target": "\"{target}\" não é um destino: escreva '#canal' (entre aspas) ou @usuario.",
  "problem.name":
    '"{name}" não serve como nome: de 1 a 64 letras, algarismos, "_", "-" ou ".", sem "." no ' +
    "começo.",
  "problem.noUser": "Diga quem você é: --user NOME, ou TERTULIA_USER no ambiente.",
  "problem.messageTooLong": "Uma mensagem pode ter até {most} caracteres; nada foi enviado.",
  "problem.messageEmpty": "Não há texto para enviar.",
  "problem.chatFolder":
    "Os arquivos do chat ficam em {folder}, que não pode ser usada ({code}): confira o dono e as permissões.",
  "problem.fileCopied":
    "Não foi possível entender uma parte de {path}, que não será enviada; {copy} é uma cópia completa.",
  "problem.fileDamaged":
    "{path} está danificado: as partes que não dá para entender faltam aqui. {aside} tem o arquivo como estava.",
  "problem.fileUnreadable":
    "Não foi possível ler {path} ({code}), então o conteúdo dele falta aqui; o arquivo fica como está.",
  "problem.noFolder":
    "O chat não tem pasta para seus arquivos: defina HOME ou XDG_STATE_HOME com um caminho absoluto.",
  "problem.output": "Não foi possível escrever a saída ({code}); ela está incompleta.",
  "problem.outputClosed": "A saída foi fechada antes de ser escrita por inteiro ({code}).",
  "problem.outputFull": "A saída está incompleta: não há mais espaço onde ela é escrita ({code}).",
  "problem.outbox":
    "As mensagens que esperam para ser enviadas ficam em {folder}, onde {path} não pode ser usado ({code}): confira o tipo, o dono e as permissões.",
  "problem.outboxFolderFull":
    "As mensagens que esperam para ser enviadas ficam em {folder}, onde não há mais espaço ({code}): libere espaço e comece de novo.",
  "problem.outboxFull":
    "A mensagem não foi aceita: outras {count} esperam para ser enviadas. Tente de novo quando algumas tiverem sido enviadas.",
  "problem.outboxNoSpace":
    "A mensagem não foi aceita: não há mais espaço em {folder}. Libere espaço e envie de novo.",
  "problem.outboxNotWritten":
    "A mensagem não foi aceita: não é possível escrever em {folder} ({code}). Confira o disco, o dono e as permissões.",
  "problem.since":
    '"{value}" não é nem um vetor em JSON nem uma data ou hora que exista, como 2026-01-31 ou 2026-01-31T08:00:00Z.',
  "problem.sinceVector": '"{value}" não é um vetor como {"server_0a1b2c3d":7}.',
  "problem.limit": '--limit: "{value}" não serve: use um número inteiro de 1 a {most}.',
  "problem.timeout": '--timeout: "{value}" não serve: use segundos, de 0.1 a 3600.',
  "problem.lang": '--lang: "{value}" não serve: use en ou pt-br.',
  "problem.logIn": "Entre com: tertulia login {user}",
  "problem.noTrace":
    "Nenhum servidor se lembra de {of}: os servidores guardam só os passos mais recentes (com PostgreSQL, nenhum). Rastreie uma mensagem mais recente ou envie uma: tertulia trace --send '#canal' TEXTO.",
  "problem.noTraceNorGame":
    "Nenhum servidor se lembra de {of}, e nenhum servidor de jogo responde em {games}: se for uma ação numa partida, indique os servidores de jogo com --game.",
  "problem.traceArguments":
    "Informe um id (tertulia trace ID) ou um canal e um texto (tertulia trace --send '#canal' TEXTO).",
  "problem.traceForms": "Escolha só uma destas opções: --svg, --shiviz ou --json.",
  "problem.password":
    "Falta a senha: digite-a, passe-a pela entrada padrão, ou use --password-file.",
  "problem.passwordsDiffer": "As duas senhas são diferentes: nada mudou.",
  "problem.passwords": "São necessárias duas linhas: a senha antiga e a nova.",
  "problem.pack": 'Não existe o pacote "{pack}": escolha um destes: {packs}.',
  "problem.match":
    '"{match}" não é uma partida: o id tem 16 dígitos hexadecimais, como 0a1b2c3d4e5f6a7b.',
  "problem.rules": '--rules: "{rules}" não serve: use clash ou duel.',
  "problem.count": '"{number}" não é um número inteiro.',
  "problem.registration": '"{mode}" não é um modo: use open, closed ou invitation.',
  "problem.notATerminal": "O menu precisa de um terminal; sem um, use `tertulia chat`.",
  "problem.healthRole": "Diga qual papel consultar: {roles} (ou TERTULIA_ROLE no ambiente).",
  "problem.trials":
    "A bancada de testes não vem nesta imagem nem neste pacote: use `npm run tertulia -- chaos` no código-fonte.",
  "problem.unexpected": "Algo inesperado deu errado: {message}",
  "problem.unsent": "Nem tudo foi feito: {count} falharam.",

  "prompt.password": "Senha: ",
  "prompt.newPassword": "Nova senha: ",
  "prompt.passwordAgain": "Mais uma vez: ",

  "usage.unknownOption": "A opção {what} não existe.",
  "usage.unknownCommand": "O comando {what} não existe.",
  "usage.missingArgument": "Falta {what}.",
  "usage.optionMissingArgument": "A opção {what} precisa de um valor.",
  "usage.excessArguments": "Há argumentos demais: ponha entre aspas um texto com espaços.",
  "usage.dashText":
    "Ponha -- antes de um texto que começa com um traço, depois de todas as opções: tertulia send TARGET -- TEXT.",
  "usage.didYouMean": "Você quis dizer {what}?",
  "usage.seeHelp": "Veja: {command} --help",

  "done.login": "{user} entrou.",
  "done.register": "{user} está registrado.",
  "done.password": "{user} tem uma nova senha; as sessões antigas terminaram.",
  "done.lock": "A conta de {user} está bloqueada.",
  "done.unlock": "A conta de {user} não está mais bloqueada.",
  "done.promote": "{user} agora é administrador.",
  "done.demote": "{user} não é mais administrador.",
  "done.add": "{user} agora tem uma conta.",
  "done.reset": "{user} tem uma nova senha.",
  "done.registration.open": "Qualquer um pode se registrar.",
  "done.registration.closed": "Ninguém pode se registrar.",
  "done.registration.invitation": "Quem souber este convite pode se registrar: {invitation}",
  "done.removeChannel":
    "O canal #{channel} foi removido. O que foi escrito nele continua no disco.",
  "done.restoreChannel": "O canal #{channel} foi restaurado, com tudo o que foi escrito nele.",
  "done.addHook":
    "Envie mensagens por POST a este caminho em um gateway: o hook {name} as escreve em #{channel}, em seu nome. Qualquer pessoa com o caminho pode usá-lo, e nenhum comando o mostra de novo:",
  "done.removeHook": "O hook {hook} foi revogado.",
  "line.coins": "Você tem {coins} moedas.",
  "line.pack": "{pack}: {price} moedas, {cards}{left}",
  "line.packsLeft": "; restam {left}",
  "line.stock": "Em estoque: {cards}",
  "line.card": "{card}  {name}, {rarity}, {attribute}, poder {power}",
  "line.offer": "Oferta {trade}: {by} dá {give} a {to} em troca de {want}",
  "done.buy": "Você comprou o pacote {pack} e ainda tem {coins} moedas.",
  "done.supply": "Do pacote {pack}, há {left} à venda a partir de agora.",
  "done.supplyAny": "O pacote {pack} fica à venda enquanto houver cartas.",
  "done.offer": "Oferta feita. {user} aceita com: tertulia cards accept {trade}",
  "done.acceptOffer": "As cartas da oferta {trade} foram trocadas.",
  "done.dropOffer": "A oferta {trade} foi desfeita.",
  "done.deck": "Seu baralho tem {count} cartas.",
  "done.voidMatch": "A partida {match} foi encerrada e não vale.",
  "line.deck": "Baralho: {cards}",
  "line.record": "{user}: {rating} pontos; vitórias: {won}, derrotas: {lost}, empates: {drawn}",
  "line.ranked":
    "{place}. {user}: {rating} pontos; vitórias: {won}, derrotas: {lost}, empates: {drawn}",
  "line.openMatch":
    "{match}  {rules}, {first} contra {second}: em andamento, mandato {term}, anfitrião {host}, sombra {shadow}",
  "line.endedMatch":
    "{match}  {rules}, {first} contra {second}: {result}; pontos {rating} e {other}, {time}",
  "line.matchWon": "{winner} venceu",
  "line.matchDrawn": "empate",
  "line.matchVoid": "anulada",
  "card.dragon": "Dragão",
  "card.warrior": "Guerreiro",
  "card.mage": "Mago",
  "card.angel": "Anjo",
  "card.demon": "Demônio",
  "card.phoenix": "Fênix",
  "card.titan": "Titã",
  "card.mermaid": "Sereia",
  "card.wolf": "Lobo",
  "card.eagle": "Águia",
  "card.lion": "Leão",
  "card.tiger": "Tigre",
  "card.knight": "Cavaleiro",
  "card.archer": "Arqueiro",
  "card.barbarian": "Bárbaro",
  "card.paladin": "Paladino",
  "rarity.common": "comum",
  "rarity.uncommon": "incomum",
  "rarity.rare": "rara",
  "rarity.legendary": "lendária",
  "attribute.fire": "fogo",
  "attribute.plant": "planta",
  "attribute.water": "água",
  "line.hook": "{hook}  {name} → #{channel}, criado em {time}",
  "done.create": "O canal #{channel} foi criado.",
  "done.send": "Enviada para {target}; servidores que já a têm em disco: {count}.",
  "done.sendOriginal":
    "Enviada para {target}: o servidor respondeu OK, mas só fala o protocolo original e não dá recibo.",
  "done.loginOriginal": "{user} entrou, em um servidor que só fala o protocolo original.",
  "done.createOriginal":
    "O canal #{channel} existe, em um servidor que só fala o protocolo original.",
  "done.remove": "{name} não está mais na visão.",
  "note.listening": "Ouvindo {target}; Ctrl-C encerra.",
  "note.missed": "Aqui faltam mensagens anteriores: os servidores já não as guardam.",
  "note.seen": "Para continuar daqui: --since '{seen}'",
  "note.older": "Há mais antes disso: --before '{cursor}'",
  "note.foundNothing": "Nada foi achado.",
  "note.newer": "Há mais: --since '{seen}'",
  "note.loggedInFirst": "{user} ainda não existia e acabou de entrar.",
  "note.notKept":
    "A sessão termina com este comando, pois não pôde ser guardada em {folder} ({code}): confira o dono e as permissões.",
  "note.noFolder":
    "A sessão termina com este comando, pois não há pasta para ela: defina HOME ou XDG_STATE_HOME com um caminho absoluto.",
  "state.reconnecting": "A conexão caiu; tentando de novo …",
  "state.connected": "Conectado de novo.",
  "state.gaveUp": "Nenhum broker há um minuto; as tentativas seguem em segundo plano.",

  "verify.nothing": "Não há pasta de servidor em {folder}.",
  "verify.good":
    "{folder}: íntegra; {savedEvents} eventos no estado salvo, {journalEvents} no diário",
  "verify.bad":
    "{folder}: DANIFICADA; {savedEvents} eventos no estado salvo, {journalEvents} íntegros no diário",
  "verify.torn":
    "{folder}: {tornBytes} bytes no fim talvez nunca tenham sido sincronizados; o próximo início os corta",
  "verify.damaged":
    "Lugares danificados: {count}. O próximo início os repara a partir dos outros membros, se houver.",
  "doctor.problem": "Problema:",
  "doctor.warning": "Aviso:",
  "doctor.note": "Nota:",
  "doctor.ok": "OK:",
  "doctor.oneProblem": "Esta máquina está com um problema.",
  "doctor.problems": "Esta máquina está com {count} problemas.",
  "doctor.stopped": "A verificação foi interrompida antes do fim; rode-a de novo.",
  "finding.node": "Esta máquina roda o Node {node}.",
  "finding.nodeOld":
    "Esta máquina roda o Node {node}, e o programa precisa do {least}. Instale um Node mais novo.",
  "finding.openFiles": "Um processo pode ter {openFiles} arquivos e conexões abertos.",
  "finding.openFilesFew":
    "Um processo só pode ter {openFiles} arquivos e conexões abertos, e um broker com muitos clientes precisa de {least}. Aumente o limite: ulimit -n, ou LimitNOFILE na unit.",
  "finding.memory": "Há {memoryMiB} MiB de memória.",
  "finding.memoryLittle":
    "Há só {memoryMiB} MiB de memória, e um servidor deve ter {least}. Dê mais à máquina ou ao contêiner.",
  "finding.names": "Estes nomes de máquina são conhecidos: {names}.",
  "finding.nameUnknown":
    "O nome de máquina {name}, de {flags}, não é conhecido aqui. Corrija-o ou acrescente-o ao DNS ou a /etc/hosts.",
  "finding.portFree": "{endpoint} está livre para o processo {role}.",
  "finding.portOurs": "O processo {role} roda em {endpoint}.",
  "finding.portUnready":
    "O processo {role} em {endpoint} não está pronto: {reason}. Se isso durar minutos, o log dele diz o que ele espera.",
  "finding.portTaken":
    "{endpoint} está em uso, e nenhum processo {role} com esta configuração responde ali. Pare o que usa a porta (`ss -ltnp` mostra) ou escolha outra.",
  "finding.portUnusable":
    "O processo {role} não consegue usar {endpoint} ({code}). Indique um endereço desta máquina e uma porta que este usuário possa usar.",
  "finding.secret":
    "O segredo em {origin} tem tamanho suficiente, e nenhum outro usuário consegue lê-lo.",
  "finding.secretToCreate":
    "Não há segredo em {path}. O primeiro processo o cria; se o cluster tem outras máquinas, copie antes o delas.",
  "finding.secretMissing": "Não há segredo em {path}. Copie-o de outra máquina do cluster.",
  "finding.secretUnreadable":
    "O segredo em {path} não pode ser lido ({code}). Verifique o dono e o modo do arquivo.",
  "finding.secretShort":
    "O segredo em {origin} tem menos de {least} caracteres. Copie o das outras máquinas ou crie um: openssl rand -hex 32.",
  "finding.secretOpen":
    "Outros usuários desta máquina conseguem ler o segredo (modo {mode}). Rode: chmod 600 {origin}",
  "finding.secretOwner":
    "O segredo {origin} é do usuário de ID {owner}, e os processos rodam como o de ID {wanted}. Rode: chown {wanted} {origin}",
  "finding.key": "A chave pública em {path} combina com esta configuração.",
  "finding.keyMissing":
    "A chave pública não pode ser lida em {path} ({code}). Copie public/server.key da pasta de dados da referência.",
  "finding.keyInvalid":
    "{path} não contém uma chave pública. Copie de novo public/server.key da pasta de dados da referência.",
  "finding.keyNone":
    "{path} diz que o cluster não é criptografado, mas --curve diz que é. Copie de novo o arquivo da referência ou desligue --curve.",
  "finding.keyUnused":
    "{path} tem a chave de um cluster criptografado, mas --curve está desligado aqui. Ligue-o, como em todos os processos do cluster.",
  "finding.keyDiffers":
    "A chave em {path} não é a do segredo desta máquina. Copie o segredo e a chave do mesmo cluster.",
  "finding.gatewayKey": "A chave dos gateways em {path} é a do segredo desta máquina.",
  "finding.gatewayKeyUnchecked":
    "{path} tem a forma de uma chave dos gateways. Sem o segredo, não dá para verificar aqui se ela é deste cluster.",
  "finding.gatewayKeyToCreate":
    "Não há chave dos gateways em {path}. A referência a grava quando inicia; se ela roda em outra máquina, copie de lá gateway/key.",
  "finding.gatewayKeyMissing":
    "A chave dos gateways não pode ser lida em {path} ({code}). Copie gateway/key da pasta de dados da referência e verifique o dono e o modo do arquivo.",
  "finding.gatewayKeyInvalid":
    "{path} não contém a chave dos gateways. Copie de novo gateway/key da pasta de dados da referência.",
  "finding.gatewayKeyOpen":
    "Outros usuários desta máquina conseguem ler a chave dos gateways (modo {mode}). Rode: chmod 600 {path}",
  "finding.gatewayKeyDiffers":
    "A chave dos gateways em {path} não é a do segredo desta máquina. Copie o segredo e a chave do mesmo cluster.",
  "finding.data": "É possível gravar na pasta de dados {path}.",
  "finding.dataToCreate": "A pasta de dados {path} não existe; o primeiro processo a cria.",
  "finding.dataUnusable":
    "Não é possível gravar na pasta de dados {path} ({code}). Verifique o dono e o modo dela ou indique outra com --data.",
  "finding.dataOwner":
    "A pasta de dados {path} é do usuário de ID {owner}, e o seu ID é {user}. Rode os processos como o dono dela.",
  "finding.dataOnNetwork":
    "A pasta de dados {path} está num sistema de arquivos do tipo {type}, em que bloqueios e sincronizações não são confiáveis. Use um disco local.",
  "finding.dataInMemory":
    "A pasta de dados {path} está na memória; quando a máquina reinicia, ela some. Use um disco.",
  "finding.space": "O disco de {path} tem {freeMiB} MiB livres.",
  "finding.spaceLow":
    "O disco de {path} está quase cheio: restam {freeMiB} MiB. Libere espaço; com o disco cheio, o servidor termina.",
  "finding.sync":
    "O disco de {path} sincroniza uma linha em {medianMs} ms (mediana; a mais lenta levou {mostMs} ms).",
  "finding.syncSlow":
    "O disco de {path} sincroniza uma linha em {medianMs} ms (mediana; a mais lenta levou {mostMs} ms), e cada mensagem espera por dois discos assim. Use um disco mais rápido ou descubra o que mais grava nele.",
  "finding.syncVerySlow":
    "O disco de {path} sincroniza uma linha em {medianMs} ms (mediana; a mais lenta levou {mostMs} ms): todos vão esperar por cada mensagem. Use um disco mais rápido.",
  "finding.reached": "{endpoint} responde ({flag}).",
  "finding.nothingAnswers":
    "Não verificado, porque nada responde em {endpoints}: a configuração, as versões e o relógio do cluster.",
  "finding.refused":
    "Nenhum processo escuta em {endpoint} ({flag}). Inicie-o na máquina dele ou corrija a configuração.",
  "finding.silent":
    "{endpoint} ({flag}) não pode ser alcançado. Verifique se a máquina dele está no ar e abra a porta nos firewalls do caminho.",
  "finding.foreign":
    "Em {endpoint} ({flag}) responde um programa que não fala ZeroMQ. Corrija a configuração.",
  "finding.sameSettings": "O cluster concorda com esta configuração: {flags}.",
  "finding.curveMissing":
    "O cluster é criptografado, e esta máquina não tem a chave dele. Membros precisam de --curve, clientes de --server-key-file.",
  "finding.curveUnwanted":
    "O cluster não é criptografado, e esta máquina tem --curve ou uma chave. Desligue a criptografia aqui ou ligue-a em todos os processos.",
  "finding.otherKey":
    "A chave do cluster não é a desta máquina. Copie de novo do cluster o segredo ou public/server.key.",
  "finding.otherSecret":
    "A referência não aceita o segredo desta máquina. Copie-o de outra máquina e use o mesmo --cluster.",
  "finding.otherAuth":
    "Servidores do cluster rodam com --auth {there}, e esta máquina tem --auth {here}. Use o mesmo em todas.",
  "finding.noServer":
    "Não verificado, porque nenhum servidor responde em {endpoints}: --auth e a hora do cluster.",
  "finding.version": "O programa tem a versão do cluster, {version}.",
  "finding.versionOlder":
    "O programa tem a versão {version}, e há processos do cluster com a {newest}. Atualize-o nesta máquina.",
  "finding.versionNewer":
    "O programa tem a versão {version}, e a mais nova do cluster é a {newest}: atualize também as outras máquinas.",
  "finding.clock": "O relógio desta máquina está a {offsetMs} ms da hora em {endpoint}.",
  "finding.clockOff":
    "O relógio desta máquina está a {offsetMs} ms da hora em {endpoint}. Acerte-o e ative a sincronização de hora (NTP).",

  // `backup` e `restore`.
  "backup.done":
    "O backup tem tudo até {newest}. Canais: {channels}, publicações: {publications}, mensagens privadas: {messages}, usuários: {users}, contas: {accounts}.",
  "backup.exists":
    "{file} já existe, e nenhum backup é sobrescrito: escolha outro nome de arquivo.",
  "backup.noFolder": "Não há pasta {folder}: crie-a ou escolha outro arquivo.",
  "backup.inUse": "Outro backup está gravando {file}: espere por ele ou escolha outro arquivo.",
  "backup.unwritable":
    "Não é possível gravar na pasta {folder} ({code}): verifique o dono e o modo dela ou escolha outro arquivo.",
  "backup.otherFolder":
    "{folder} é necessária para arquivos inacabados, mas tem outros arquivos ou não é uma pasta: mova-a para outro lugar.",
  "backup.keyUnreadable": "Não foi possível ler o arquivo de chave {path} ({code}): verifique-o.",
  "backup.keyShort":
    "A chave em {path} tem menos de {least} caracteres: crie uma com `openssl rand -hex 32`.",
  "backup.noReference":
    "Nenhuma referência em {endpoints} responde com o segredo de {origin}: inicie-a, indique a sua com --reference ou copie o segredo de um membro.",
  "backup.noMajority":
    "Servidores que responderam: {answered} de {of}, e são necessários {quorum} para obter todas as mensagens: inicie os outros de novo.",
  "backup.engine":
    "Os servidores usam um motor e não têm dados próprios: faça o backup do PostgreSQL deles, por exemplo com pg_dump.",
  "backup.another":
    "{server} não consegue terminar a cópia ({why}); outro servidor será consultado.",
  "backup.full": "Não foi possível gravar {file}, porque o disco está cheio: libere espaço.",
  "backup.stopped": "O backup foi interrompido; {file} não foi gravado.",
  "backup.failed": "{file} não foi gravado ({why}): tente de novo.",
  "restore.stopped":
    "A restauração foi interrompida, e nenhum servidor foi criado: execute-a de novo.",
  "restore.done":
    "Restaurado em {folder} a partir do backup de {made}, que tem tudo até {newest}. Canais: {channels}, publicações: {publications}, mensagens privadas: {messages}, usuários: {users}, contas: {accounts}.",
  "restore.next":
    "Inicie este servidor primeiro: `tertulia up --data {folder}`, ou `tertulia server --data {folder}` ao lado dos outros processos. Depois, servidores com pastas vazias buscam tudo dele.",
  "restore.used":
    "A pasta de dados {folder} já tem um servidor ou uma referência: indique uma vazia com --data.",
  "restore.inUse":
    "Outra restauração está gravando em {folder}: espere por ela ou escolha outra pasta.",
  "restore.encrypted": "{file} está criptografado: indique o arquivo de chave com --key-file.",
  "restore.plain": "{file} não está criptografado: retire --key-file.",
  "restore.wrongKey":
    "Não foi possível descriptografar {file}: indique o arquivo de chave com que ele foi feito; se é este, o backup está danificado.",
  "restore.newer":
    "{file} foi feito pela versão mais nova {version}: restaure-o com essa versão ou com uma posterior.",
  "restore.unreadable":
    "Não foi possível ler {file} ({code}): verifique o caminho, o dono e as permissões.",
  "restore.damaged":
    "{file} está danificado ou incompleto ({why}), e nada foi restaurado: use outro backup.",
  "migrate.noEngine":
    "Falta o motor: indique o PostgreSQL com --engine, como postgres://host/banco.",
  "migrate.used":
    "O esquema {schema} do motor já tem um cluster: indique um banco ou esquema vazio com --engine.",
  "migrate.running":
    "Há servidores usando o esquema {schema} do motor: pare-os, espere dez segundos e execute de novo.",
  "migrate.damaged":
    "{file} está danificado ou incompleto ({why}), e nada foi migrado: use outro backup.",
  "migrate.stopped": "A migração foi interrompida, e nada foi migrado: execute-a de novo.",
  "migrate.failed": "Nada foi migrado ({why}): corrija isso e execute de novo.",
  "migrate.lost":
    "O motor se perdeu antes de confirmar a migração ({why}): execute-a de novo; se o esquema então já tiver um cluster, ela está feita.",
  "migrate.done": "O esquema {schema} do motor tem tudo o que o backup tem, até {newest}.",
  "migrate.same":
    "Os arquivos, as cadeias e as contagens do backup estão certos, e todas as linhas foram lidas de volta como foram escritas: {counts}. Canais com publicações, cada um comparado: {channels}. Soma dos SHA-256 de todas as linhas: {digest}.",
  "migrate.next":
    "Inicie servidores com este --engine, o segredo do cluster e nenhuma pasta de servidor antigo. Não inicie os servidores antigos de novo.",

  "secret.action": '"{action}" não é um passo: diga add, switch ou drop.',
  "secret.inEnvironment":
    "O segredo está em TERTULIA_SECRET, que nenhum comando pode mudar: mude a variável você mesmo, com um segredo em cada linha.",
  "secret.full": "{file} já tem {most} segredos: retire um antes (tertulia secret drop).",
  "secret.single": "{file} tem um segredo só: acrescente outro antes (tertulia secret add).",
  "secret.add":
    "{file} tem um segredo novo: os processos vão usar {used} e também aceitar {others}.",
  "secret.switch":
    "{file} tem outro primeiro segredo: os processos vão usar {used} e também aceitar {others}.",
  "secret.drop": "{file} não tem mais {dropped}.",
  "secret.restart":
    "Agora copie o arquivo para cada máquina que tem o segredo e reinicie, um depois do outro, todos os processos que o usam.",
  "secret.addNext":
    "Quando tertulia status disser que todos os processos usam {used} e também aceitam {others}, continue com: tertulia secret switch",
  "secret.switchNext":
    "Quando tertulia status disser que todos os processos usam {used} e também aceitam {others}, dê aos clientes a nova chave pública (com --curve) e aos gateways a nova chave deles, e continue com: tertulia secret drop",
  "secret.dropNext":
    "Quando tertulia status disser que todos os processos usam {used} e também aceitam {others}, este passo está feito.",
  "secret.lastNext":
    "Quando tertulia status não avisar mais sobre segredos, todos os processos usam só {used}, e a troca terminou.",
  "status.healthy": "saudável",
  "status.unhealthy": "com problemas",
  "status.summary":
    "{health} · coordenador {coordinator} · época {epoch} · visão {view}: {members}",
  "status.members": "{live} de {count} membros ativos",
  "status.problem": "Problema:",
  "status.warning": "Aviso:",
  "status.oneProblem": "O cluster está com um problema.",
  "status.problems": "O cluster está com {count} problemas.",
  "status.noServer":
    "Nenhum servidor responde. Inicie de novo os servidores nas máquinas deles: tertulia server.",
  "status.noServerBecause": "Nenhum servidor responde. {cause}",
  "status.noQuorum":
    "Membros ativos: {live} de {count}; são precisos {quorum}, e nenhuma mensagem é aceita. Inicie os outros de novo; um servidor que acabou de iniciar primeiro se atualiza.",
  "status.memberDown":
    "O servidor {name} do cluster não responde. Inicie-o de novo na máquina dele{place} ou remova-o de vez: tertulia servers remove {name}.",
  "status.memberDownNoQuorum":
    "O servidor {name} do cluster não responde. Inicie-o de novo na máquina dele{place}.",
  "status.noCoordinator":
    "O cluster está sem coordenador: ninguém consegue registrar um nome nem mudar uma senha ou uma conta, e nenhum relógio é corrigido. Uma eleição leva segundos; se depois disso ainda não houver coordenador, veja os logs dos servidores.",
  "status.noBroker":
    "Nenhum broker está rodando: nenhum cliente chega aos servidores. Inicie um: tertulia broker.",
  "status.noProxy":
    "Nenhum proxy está rodando: os chats recebem as mensagens com atraso, e outros assinantes as perdem. Inicie um: tertulia proxy.",
  "status.brokersMissing":
    "Brokers rodando: {up} dos {of} da sua configuração. Inicie de novo, na máquina dele, o que falta: tertulia broker.",
  "status.proxiesMissing":
    "Proxies rodando: {up} dos {of} da sua configuração. Inicie de novo, na máquina dele, o que falta: tertulia proxy.",
  "status.noReference":
    "Nenhuma referência responde. Inicie-a de novo na máquina dela (tertulia reference) ou indique a sua com --reference.",
  "status.foreignReference":
    "A referência só fala o protocolo original: não conhece visão nem membros. Inicie no lugar dela a deste programa: tertulia reference.",
  "status.guestServers":
    "Servidores que não são membros podem se conectar a {names}: quem alcança essas portas recebe pedidos e pode publicar. Reinicie sem --guest-servers.",
  "status.diskNearlyFull":
    "O disco do servidor {name} está quase cheio: restam {free} MiB. Libere espaço na máquina dele; com o disco cheio, o servidor termina.",
  "status.clockOff":
    "O relógio da máquina de {name} tem um erro de {seconds} s. Acerte-o e ative a sincronização de hora (NTP) nessa máquina.",
  "status.decisionsDiffer":
    "Servidores aplicaram decisões diferentes, no slot {slot} do log de decisões ou antes (notado por {names}); por isso as contas podem diferir entre eles. Os logs dizem quais servidores divergem. Pare o que diverge de todos os outros e inicie-o com uma pasta vazia.",
  "status.unknownOperation":
    "O servidor {name} não conhece a operação {operation}; por isso as contas já não mudam nesse servidor. Atualize o programa na máquina dele e inicie-o de novo.",
  "status.formerAccounts":
    "Um servidor da versão 0.1.0 mudou contas durante a atualização (notado por {names}). Essas mudanças não têm efeito: faça-as de novo.",
  "status.disbelievedClocks":
    "Desde que começou, {name} recebeu {count} pedidos com relógio de Lamport ausente, inválido ou adiantado demais. Isso não prejudica ninguém, mas algum cliente não segue o protocolo.",
  "status.memberNotReady":
    "O servidor {name} está no ar, mas não aceita pedidos (fase {phase}). Se isso durar minutos, o log dele diz o que ele espera.",
  "status.olderVersion":
    "{name} roda a versão {version}, e outros processos rodam a {newest}. Atualize o programa na máquina dele e inicie-o de novo.",
  "status.versionUnknown":
    "{name} roda uma versão anterior à {newest}. Atualize o programa na máquina dele e inicie-o de novo.",
  "status.secretsDiffer":
    "Os processos têm segredos diferentes: {groups}. Copie o arquivo mais novo do segredo para todas as máquinas e reinicie cada processo que ainda não o leu.",
  "status.severalSecrets":
    "Todos os processos usam o segredo {used} e também aceitam {others}: há uma troca do segredo em andamento. Continue com tertulia secret switch ou, se {used} já é o novo, com tertulia secret drop.",
  "status.counts":
    "Desde que começou, {name} recusou {forged} mensagens sem o segredo e {stale} atrasadas ou repetidas.",
  "status.role": "PAPEL",
  "status.name": "NOME",
  "status.rank": "RANK",
  "status.address": "ENDEREÇO",
  "status.version": "VERSÃO",
  "status.member": "MEMBRO",
  "status.phase": "FASE",
  "status.lag": "ATRASO",
  "status.clock": "RELÓGIO",
  "status.offset": "DESVIO MS",
  "status.correction": "CORREÇÃO MS",
  "status.rounds": "RODADAS",
  "status.rate": "PED/S",
  "status.yes": "sim",
  "status.no": "não",
  "status.down": "fora",

  // A vida de um evento, como `trace` a desenha.
  "trace.title": "Evento {name} ({operation}), relógio de Lamport {clock}, id {id}",
  "trace.noEvent": "Nenhum servidor se lembra do evento",
  "trace.thisMessage": "sua mensagem",
  "trace.process": "PROCESSO",
  "trace.step": "PASSO",
  "trace.concurrent": "CONCORRENTE COM",
  "trace.client": "cliente",
  "trace.requested": "enviou o pedido",
  "trace.answered": "recebeu o recibo",
  "trace.asked": "recebeu o pedido",
  "trace.made": "criou o evento",
  "trace.received": "recebeu o evento de {name}",
  "trace.synced": "gravou o evento no disco",
  "trace.sent": "enviou o evento aos outros servidores",
  "trace.acknowledged": "avisou que tem o evento no disco",
  "trace.heard": "soube que {name} tem o evento no disco",
  "trace.committed": "sabe que um quórum tem o evento no disco",
  "trace.replied": "enviou o recibo",
  "trace.published": "enviou a mensagem aos assinantes",
  "trace.actionTitle": "Ação {operation} na partida {match}",
  "trace.matchTitle": "Partida {match}",
  "trace.forwarded": "repassou o pedido a {name}",
  "trace.taken": "recebeu o pedido de {name}",
  "trace.proposed": "fez a proposta a {name}",
  "trace.prepared": "julgou a proposta de {name}: de acordo",
  "trace.agreed": "recebeu o acordo de {name} e pediu a conferência",
  "trace.checked": "conferiu para {name}: nada veio no meio",
  "trace.madeChecked": "criou o evento: {name} conferiu",
  "trace.copied": "recebeu o evento de {name}",
  "trace.refused": "recusou a proposta de {name}: {reason}",
  "trace.rolledBack": "desfez a proposta: {name} não respondeu a tempo",
  "trace.rolledBackRefused": "desfez a proposta: {name} recusou, {reason}",
  "trace.dropped": "descartou a proposta de {name}",
  "trace.told": "avisou a {name} que teve efeito",
  "trace.toldRefusal": "avisou a {name} que foi recusado: {reason}",
  "trace.learned": "soube por {name} que teve efeito",
  "trace.learnedRefusal": "soube por {name} que foi recusado: {reason}",
  "trace.repliedRefusal": "recusou o pedido: {reason}",
  "trace.proposal": "proposta {round}",
  "trace.legend":
    "O número ao lado de um passo é o relógio de Lamport. Os passos de uma faixa cinza são concorrentes entre si.",
  "trace.durations": "Pelo relógio da origem, desde o primeiro passo dela: {parts}.",
  "trace.until.synced": "no disco dela após {ms} ms",
  "trace.until.committed": "confirmado por um quórum após {ms} ms",
  "trace.until.replied": "recibo enviado após {ms} ms",
  "trace.until.published": "publicado após {ms} ms",
  "trace.waited": "O cliente recebeu o recibo após {ms} ms, pelo relógio dele.",
  "trace.noReceipt": "O cliente não recebeu recibo.",
  "trace.uncommitted":
    "Até onde estes servidores sabem, nenhum quórum tem o evento no disco, e ele não está confirmado.",
  "trace.silent": "Sem resposta de {names}: faltam aqui os passos de lá.",
  "trace.stepless": "Nenhum passo de {names}: não receberam o evento ou já não se lembram dele.",
  "trace.forgetful":
    "Faltam aqui os primeiros passos destes servidores, que já não se lembram deles: {names}.",
  "trace.skew":
    "Pelos relógios, {receiver} recebeu uma mensagem de {sender} antes do envio: esses relógios diferem em pelo menos {ms} ms.",
  "trace.offsets": "Correções dos relógios em ms: {offsets}.",

  "config.setting": "AJUSTE",
  "config.value": "VALOR",
  "config.source": "ORIGEM",
  "config.flag": "opção",
  "config.environment": "ambiente",
  "config.file": "arquivo de configuração",
  "config.default": "padrão",
  "config.none": "(nenhum)",

  "menu.askName": "Seu nome",
  "menu.welcome": "Olá, {user}. O que os outros escrevem aparece acima do menu.",
  "menu.title": "O que você quer fazer?",
  "menu.users": "Listar usuários",
  "menu.create": "Criar um canal",
  "menu.channels": "Listar canais",
  "menu.join": "Entrar em um canal",
  "menu.publish": "Publicar em um canal",
  "menu.message": "Enviar uma mensagem privada",
  "menu.quit": "Sair",
  "menu.chooseNumber": "Digite um número de 1 a {most}",
  "menu.userList": "Usuários ({count}):",
  "menu.channelList": "Canais ({count}):",
  "menu.noChannels": "Ainda não há canais: crie um.",
  "menu.noUsers": "Ainda não há mais ninguém.",
  "menu.askChannelName": "Nome do novo canal",
  "menu.askChannel": "Canal",
  "menu.askUser": "Para quem",
  "menu.askText": "Texto (vazio: voltar)",
  "menu.back": "(voltar)",
  "menu.nothingFound": "nada com esse nome",
  "menu.searchTip": "digite para buscar · ↑↓ escolher · ⏎ aceitar",
  "menu.joined": "Você está em #{channel}.",
  "menu.alreadyJoined": "Você já está em #{channel}.",
  "menu.bye": "Até logo.",
  "menu.whoAreYou": "Quem é você?",
  "menu.logIn": "Entrar como {user}",
  "menu.makeAccount": "Criar a conta {user}",
  "menu.otherName": "Usar outro nome",
  "menu.askPassword": "Senha de {user} (vazia: voltar)",
  "menu.askPasswordOrQuit": "Senha de {user} (vazia: sair do chat)",
  "menu.askNewPassword": "Nova senha de {user} (vazia: voltar)",
  "menu.askAgain": "Mais uma vez",
  "menu.askInvitation": "Convite de um administrador (vazio: voltar)",
  "menu.notShown": "(não aparece)",
  "menu.logInNext": "{why} Você entra de novo na próxima ação.",

  "duel.rules.clash": "Confronto",
  "duel.rules.duel": "Duelo",
  "duel.connecting": "Conectando aos servidores de jogo …",
  "duel.waiting": "Procurando alguém para jogar … {seconds} s",
  "duel.watching": "{user} não está em nenhuma partida. A próxima vai aparecer aqui.",
  "duel.waitingKeys": "r: outro jogo · Esc: sair",
  "duel.watchingKeys": "q: sair",
  "duel.against": "{first} contra {second}",
  "duel.seconds": "{seconds} s",
  "duel.choose": "Escolha suas cartas",
  "duel.chooseOwn": "seu baralho ou, sem um, suas 30 cartas mais fortes",
  "duel.choosePack": "comprar o pacote {pack} por {price} moedas e jogar com ele: {cards}",
  "duel.packLeft": "restam {left}",
  "duel.soldOut": "esgotado",
  "duel.coins": "Você tem {coins} moedas.",
  "duel.isReady": "{user} já escolheu.",
  "duel.isChoosing": "{user} está escolhendo …",
  "duel.chooseKeys": "Enter, 1–3: escolher · g: desistir",
  "duel.readyKeys": "g: desistir",
  "duel.round": "rodada {round}",
  "duel.turn": "turno {round}",
  "duel.yourMove": "sua vez",
  "duel.theirMove": "vez de {user}",
  "duel.counterNow": "anule ou passe",
  "duel.rating": "ranking {rating}",
  "duel.score": "rodadas ganhas: {score}",
  "duel.life": "vida {score}",
  "duel.points": "pontos {points}",
  "duel.handSize": "mão {count}",
  "duel.deckSize": "baralho {count}",
  "duel.table": "na mesa: {card}",
  "duel.noCard": "nada",
  "duel.faceDown": "uma carta virada para baixo",
  "duel.hand": "Sua mão",
  "duel.noHand": "Você não tem cartas na mão.",
  "duel.power": "poder",
  "duel.cost": "custo",
  "duel.clashKeys": "1–9 ou ↑↓ Enter: jogar · g: desistir",
  "duel.duelKeys": "1–9 ou ↑↓ Enter: jogar · p: passar · g: desistir",
  "duel.counterKeys": "c: anular · p: passar · g: desistir",
  "duel.waitKeys": "g: desistir",
  "duel.overKeys": "Enter: próxima partida · q: sair",
  "duel.acting": "enviando …",
  "duel.giveUpAgain": "Aperte g de novo para desistir; qualquer outra tecla continua.",
  "duel.quitAgain":
    "Aperte Ctrl-C de novo para sair. A partida continua sem você: tertulia duel volta a ela.",
  "duel.noQuit": "A partida está em andamento: g desiste, Ctrl-C duas vezes sai por um momento.",
  "duel.noCounter": "Nenhuma das suas cartas anula esta: p passa.",
  "duel.tooSmall": "O terminal é pequeno demais para uma partida.",
  "duel.lost": "A conexão caiu; tentando de novo …",
  "duel.back": "Conexão restabelecida.",
  "duel.leaving": "Saindo … Esc de novo não espera a resposta.",
  "duel.seated": "Uma partida acabou de ser encontrada.",
  "duel.won": "Você venceu!",
  "duel.beaten": "Você perdeu.",
  "duel.draw": "Empate.",
  "duel.void": "A partida não vale.",
  "duel.hasWon": "{user} venceu.",
  "duel.newRating": "Seu ranking: {rating} ({change})",
  "duel.record": "vitórias: {won}, derrotas: {lost}, empates: {drawn}",
  "duel.ratingSoon": "Buscando seu novo ranking …",
  "duel.invitation":
    "Quer jogar uma partida de cartas comigo? Use /duel no chat, ou tertulia duel.",
  "duel.screenOnly": "Aqui não há tela para uma partida: use tertulia duel.",
  "duel.badAction":
    '"{line}" não é uma jogada: escreva ready, ready PACOTE, play CARTA, counter CARTA, pass, giveUp ou leave, ou a jogada em JSON.',
  "duel.noGame":
    "Nenhum servidor de jogo responde em {endpoints}: inicie um com tertulia game, ou indique o seu com --game.",
  "duel.event.found": "{first} joga contra {second}.",
  "duel.event.deck": "{user} joga com {count} cartas.",
  "duel.event.pack": "{user} comprou o pacote {pack} e joga com ele.",
  "duel.event.start": "As cartas foram distribuídas.",
  "duel.event.played": "{user} joga {card}.",
  "duel.event.hidden": "{user} pôs uma carta na mesa.",
  "duel.event.countered": "{user} anula com {card}.",
  "duel.event.passed": "{user} passa.",
  "duel.event.roundWon":
    "{user} vence a rodada {round}: {card} ({strength}) contra {other} ({otherStrength}).",
  "duel.event.roundDrawn":
    "A rodada {round} empatou: {card} ({strength}) contra {other} ({otherStrength}).",
  "duel.event.blocked": "O ataque foi anulado: {user} não perde vida.",
  "duel.event.hit": "{user} perde {damage} e fica com {life}.",
  "duel.event.gaveUp": "{user} desiste.",
  "duel.event.gone": "{user} ficou ausente por tempo demais.",
  "duel.event.failover": "Um servidor de jogo falhou: a partida continua em outro servidor.",
  "duel.event.copied": "Agora outro servidor de jogo tem uma cópia da partida.",
  "duel.event.won": "{user} venceu a partida.",
  "duel.event.drawn": "A partida terminou empatada.",
  "duel.event.void": "A partida acabou e não vale.",

  "chat.home": "Tertulia",
  "chat.hint": "Escreva e tecle Enter. Ctrl-K muda de lugar, Tab completa, /help explica tudo",
  "chat.noChannels": "Ainda não há canais: /create #geral cria um. /help explica tudo.",
  "chat.newSince": "novas desde que você saiu",
  "chat.below": "PgDn: até as mais novas",
  "chat.newer": "PgDn: {count} mais novas",
  "chat.beginning": "o começo",
  "chat.loading": "buscando mensagens …",
  "chat.connected": "conectado",
  "chat.connecting": "conectando …",
  "chat.reconnecting": "reconectando …",
  "chat.reconnectingIn": "reconectando em {seconds} s",
  "chat.gaveUp": "nenhum broker há um minuto; ainda tentando",
  "chat.roundTrip": "{ms} ms",
  "chat.clock": "relógio {clock}",
  "chat.replicas": "{count} réplicas",
  "chat.replica": "{count} réplica",
  "chat.away": "ausente",
  "chat.isAway": "Você está ausente. /away de novo traz você de volta.",
  "chat.isBack": "Você está de volta.",
  "chat.online": "online",
  "chat.quitAgain": "Tecle Ctrl-C de novo para sair.",
  "chat.noSuchChannel": "O canal {name} não existe: /create {name} cria o canal.",
  "chat.noConversation": "Aqui não há para quem escrever: /join #canal ou /msg nome.",
  "chat.likeAction":
    "Um texto não pode começar com /me e um espaço, pois apareceria como uma ação; nada foi enviado.",
  "chat.unknown":
    "O comando {command} não existe; nada foi enviado. Seria {suggestion}? Para enviar como texto, escreva /{command}.",
  "chat.unknownHelp":
    "O comando {command} não existe; nada foi enviado. /help mostra todos. Para enviar como texto, escreva /{command}.",
  "chat.wrongUse": "Escreva assim: {usage}",
  "chat.historyPages": "Aqui /history volta uma página, como PgUp: não aceita número.",
  "chat.found": "Achado em {name} ({count}): {words}",
  "chat.foundNewest": "Achado em {name} (os {count} mais novos): {words}",
  "chat.foundNothing": "Nada achado em {name}: {words}",
  "chat.links": "Links em {name}, o mais novo por último:",
  "chat.linksBack": "Enter volta ao chat.",
  "chat.noLinks":
    "Nenhuma mensagem de {name} buscada até agora tem link; PgUp busca as mais antigas.",
  "chat.parted": "Você saiu de {name}.",
  "chat.notJoined": "Você não está em {name}.",
  "chat.muted": "{name} está em silêncio: só menções são contadas.",
  "chat.unmuted": "{name} não está mais em silêncio.",
  "chat.nobodyOnline": "Que se saiba, ninguém está online.",
  "chat.whoOnline": "Online ({count}): {people}",
  "chat.userList": "Usuários ({count}): {names}",
  "chat.channelList": "Canais ({count}): {names}",
  "chat.tooLong": "Uma mensagem pode ter até {most} caracteres; nada foi enviado.",
  "chat.switchTitle": "Ir para …",
  "chat.switchNothing": "nada com esse nome",
  "chat.helpTitle": "Teclas e comandos",
  "chat.helpClose": "Esc: voltar",
  "chat.key.complete": "completa /comandos, @nomes, #canais",
  "chat.key.page": "mensagens mais antigas e mais novas; as antigas são buscadas",
  "chat.key.number": "uma conversa, pelo número",
  "chat.key.neighbour": "a conversa antes ou depois desta",
  "chat.key.nextUnread": "a próxima com algo não lido, menções primeiro",
  "chat.key.switch": "vai a qualquer canal ou pessoa, por uma parte do nome",
  "chat.key.recall": "o que você escreveu antes",
  "chat.key.newLine": "uma linha nova dentro da mensagem",
  "chat.key.lineEnds": "começo e fim da linha",
  "chat.key.words": "uma palavra para trás ou para a frente",
  "chat.key.cut": "corta tudo antes do cursor, ou uma palavra",
  "chat.key.putBack": "cola o que foi cortado",
  "chat.key.redraw": "redesenha a tela",
  "chat.key.suspend": "volta ao shell; fg retorna ao chat",
  "chat.key.back": "fecha isto, ou vai à mensagem mais nova",
  "chat.key.quit": "uma vez: guarda seu texto (↑); duas: encerra",
  "chat.command.join": "/join #canal: entra em um canal",
  "chat.command.part": "/part #canal: sai de um canal; sozinho, desta conversa",
  "chat.command.create": "/create #canal: cria um canal e entra nele",
  "chat.command.msg": "/msg nome texto: envia a alguém uma mensagem privada",
  "chat.command.me": "/me texto: conta o que você faz: * ana acena",
  "chat.command.say": "/say texto: envia um texto, mesmo que comece com uma barra; //texto também",
  "chat.command.who": "/who: quem está online",
  "chat.command.users": "/users: todos os usuários",
  "chat.command.channels": "/channels: todos os canais",
  "chat.command.history": "/history: uma página de mensagens mais antigas",
  "chat.command.search":
    '/search palavras: acha as mensagens daqui com todas as palavras; "duas palavras" seguidas, -palavra para excluir',
  "chat.command.links": "/links: os links desta conversa, inteiros, para copiar",
  "chat.command.away": "/away: ausente, ou de volta",
  "chat.command.mute": "/mute #canal: conta só menções, ou tudo de novo; sozinho, aqui",
  "chat.command.status": "/status: o que há de errado e os processos do cluster",
  "chat.command.time": "/time: a hora do cluster",
  "chat.command.lang": "/lang en: outra língua, na hora",
  "chat.command.help": "/help: isto",
  "chat.command.duel": "/duel nome: uma partida de cartas; com um nome, um convite a essa pessoa",
  "chat.command.quit": "/quit: encerra o chat",

  "page.connecting": "Conectando …",
  "page.lost.offline": "Este aparelho está sem rede. O que você enviar espera aqui.",
  "page.lost.noGateway": "O gateway não responde. O que você enviar espera aqui.",
  "page.lost.unready":
    "O gateway responde, mas o chat por trás dele não ({detail}). O que você enviar espera aqui.",
  "page.lost.noSockets":
    "O gateway responde, mas algo no caminho recusa WebSockets: avise quem cuida do proxy.",
  "page.lost.stopping": "O gateway está sendo reiniciado. O que você enviar espera aqui.",
  "page.nextTry": "Próxima tentativa em {seconds} s.",
  "page.tryNow": "Tentar agora",
  "page.sessionEnded":
    "Sua sessão terminou: entre de novo. As mensagens que esperam serão enviadas em seguida.",
  "page.name": "Nome",
  "page.password": "Senha",
  "page.passwordAgain": "Senha mais uma vez",
  "page.passwordsDiffer": "As duas senhas são diferentes.",
  "page.invitation": "Convite",
  "page.invitationHint":
    "De quem administra. Deixe vazio se aqui qualquer pessoa pode se registrar.",
  "page.invitationWanted":
    "Você precisa de um convite para se registrar aqui: peça a quem administra.",
  "page.channelNotFound": "Esse canal não existe.",
  "page.logIn": "Entrar",
  "page.logOut": "Sair",
  "page.register": "Criar conta",
  "page.noAccount": "Ainda não tenho conta",
  "page.haveAccount": "Já tenho conta",
  "page.language": "Idioma",
  "page.theme": "Cores",
  "page.theme.system": "as do aparelho",
  "page.theme.light": "claras",
  "page.theme.dark": "escuras",
  "page.notifications": "Notificações",
  "page.notify": "Avise-me de mensagens privadas e menções enquanto a página está escondida",
  "page.cannotNotify": "Este navegador só mostra notificações de páginas servidas por HTTPS.",
  "page.notifyRefused":
    "Seu navegador proíbe notificações desta página: permita-as nas configurações dele.",
  "page.matches": "Partidas",
  "page.settings": "Ajustes",
  "page.help": "Teclas e comandos",
  "page.close": "Fechar",
  "page.conversation": "Conversa",
  "page.conversations": "Conversas",
  "page.channels": "Canais",
  "page.private": "Privadas",
  "page.online": "Online agora",
  "page.offline": "offline",
  "page.muted": "silenciado",
  "page.unreadCount": "não lidas: {count}",
  "page.mentionCount": "menções: {count}",
  "page.goTo": "Ir para …",
  "page.nameToFind": "Parte de um nome",
  "page.createChannel": "Criar o canal {name}",
  "page.nothingOpen": "Tertulia",
  "page.welcome":
    "Escolha uma conversa, ou aperte Ctrl-K e digite o nome de um canal ou de uma pessoa.",
  "page.back": "Todas as conversas",
  "page.leave": "Sair da conversa",
  "page.messagesOf": "Mensagens em {name}",
  "page.newer": "Novas: {count} ↓",
  "page.toNewest": "Para a mais nova ↓",
  "page.writeTo": "Escreva para {name}",
  "page.command": "Escreva um comando, como /join #canal",
  "page.send": "Enviar",
  "page.waits": "espera para ser enviada",
  "page.refused": "não enviada",
  "page.stored": "guardada pela maioria dos servidores",
  "page.gap": "Faltam mensagens aqui: os servidores já não as guardam.",
  "page.notKept":
    "A mensagem não foi aceita: este navegador não consegue guardá-la até o envio. Permita que a página guarde dados, ou libere espaço.",
  "page.noCommand": "Este comando só funciona no terminal.",
  "page.key.switch": "vai para qualquer canal ou pessoa, por parte do nome",
  "page.key.neighbour": "a conversa anterior ou a seguinte",
  "page.key.send": "envia a mensagem",
  "page.key.newLine": "uma nova linha na mensagem",
  "page.key.messages": "numa linha vazia, ↑ vai para as mensagens; essas teclas andam entre elas",
  "page.key.back": "de volta à linha; nela, à mensagem mais nova",

  // A página de partidas, que também usa textos de `duel.`.
  "table.title": "Partidas de cartas",
  "table.logIn": "Para jogar ou assistir, entre primeiro no chat.",
  "table.noGame":
    "Nenhum servidor de jogo responde. A página tenta de novo sozinha; o chat continua funcionando.",
  "table.rules.clash":
    "Os dois jogam uma carta virada para baixo, e a mais forte vence a rodada. Uma carta ganha 20 de força se o seu atributo vence o da outra.",
  "table.rules.duel":
    "Vocês jogam por turnos. As cartas custam pontos e tiram vida do outro jogador, a menos que ele responda com uma carta cujo atributo vence o da sua.",
  "table.beats": "Fogo vence planta, planta vence água, e água vence fogo.",
  "table.look": "Procurar partida",
  "table.leave": "Parar de procurar",
  "table.watchOf": "Assistir à partida de",
  "table.watch": "Assistir",
  "table.own": "Jogar com as suas cartas",
  "table.ownHint": "O seu deck ou, sem deck, as suas cartas mais fortes. Você tem {count} cartas.",
  "table.lentHint":
    "Você tem {count} cartas. Cinco cartas são emprestadas a você para esta partida.",
  "table.buy": "Comprar o pacote {pack} por {price} moedas",
  "table.pass": "Passar",
  "table.passCounter": "Não responder",
  "table.giveUp": "Desistir",
  "table.giveUpAsk": "Desistir desta partida?",
  "table.giveUpYes": "Sim, desistir",
  "table.giveUpNo": "Não, continuar",
  "table.next": "Próxima partida",
  "table.back": "Outros jogos",
  "table.log": "O que aconteceu",
  "table.past": "antes",
  "table.keys": "As teclas de 1 a 9 jogam cartas",

  // A página do cluster em ação, que também usa textos de `status` e de `trace`.
  "cluster.title": "O cluster em ação",
  "cluster.toChat": "Para o chat",
  "cluster.refused":
    "Só administradores podem ver o cluster em ação: fale com um deles. Em um cluster sem contas, abra esta página na própria máquina do gateway.",
  "cluster.old": "Estes números são de {seconds} s atrás.",
  "cluster.healthy": "Saudável",
  "cluster.unhealthy": "Com problemas",
  "cluster.coordinator": "Coordenador",
  "cluster.epoch": "Época",
  "cluster.view": "Visão",
  "cluster.members": "Membros ativos",
  "cluster.liveOf": "{live} de {count}",
  "cluster.quorum": "Quórum",
  "cluster.processes": "Os processos e seus relógios de Lamport",
  "cluster.clockHint":
    "Cada processo conta o que faz. Quando recebe um relógio maior, continua acima dele. Por isso os relógios de processos que conversam andam juntos, e o de um processo que nada recebe fica parado. As linhas mostram os últimos {seconds} s, todas na mesma escala; a linha clara é o maior relógio.",
  "cluster.clock": "Relógio de Lamport",
  "cluster.pace": "+{count}/s",
  "cluster.behind": "{count} atrás",
  "cluster.isCoordinator": "coordenador",
  "cluster.role.server": "servidor",
  "cluster.role.broker": "broker",
  "cluster.role.proxy": "proxy",
  "cluster.role.reference": "referência",
  "cluster.role.gateway": "gateway",
  "cluster.role.game": "servidor de jogo",
  "cluster.role.bot": "bot",
  "cluster.noMember": "não é membro",
  "cluster.lag": "atraso {count}",
  "cluster.rate": "{count} pedidos/s",
  "cluster.offset": "desvio do relógio {ms} ms",
  "cluster.correction": "última correção {ms} ms",
  "cluster.version": "versão {version}",
  "cluster.life": "A vida de uma mensagem",
  "cluster.lifeHint":
    "Envie uma mensagem ou escolha uma: o diagrama mostra o que cada processo fez com ela e que passos podem ter causado outros.",
  "cluster.channel": "Canal",
  "cluster.message": "Mensagem",
  "cluster.send": "Enviar e acompanhar",
  "cluster.noName": "Para enviar uma mensagem daqui, primeiro entre no chat.",
  "cluster.newest": "Mensagens mais recentes em {name}",
  "cluster.id": "Id de uma mensagem ou nome de um evento",
  "cluster.idHint": "O nome de um evento é o servidor e o número dele, como server_0a1b2c3d/12.",
  "cluster.show": "Mostrar a vida",
  "cluster.again": "Perguntar de novo aos servidores",
  "cluster.saveSvg": "Salvar como SVG",
  "cluster.saveShiviz": "Salvar para o ShiViz",
  "cluster.stepsHint":
    "Aponte para um passo ou use ↑ e ↓: as cores mostram o que aconteceu antes dele, o que aconteceu depois e o que é concorrente com ele.",
  "cluster.steps": "Passos, do primeiro ao último",
  "cluster.lanes": "Os passos como pontos na linha de seu processo, com as mensagens entre eles",
  "cluster.relations":
    "Passo {number}: antes dele: {before}; depois dele: {after}; concorrentes com ele: {beside}.",
  "cluster.before": "antes",
  "cluster.after": "depois",
  "cluster.beside": "concorrente",
  "cluster.none": "nenhum",

  "lines.noChannel": "Entre primeiro em um canal: /join #canal",
  "lines.muted": "{name} está em silêncio: o que se escreve lá não aparece.",
  "lines.joined": "Você está em #{channel}; o que você escrever vai para lá.",
  "lines.left": "Você saiu de #{channel}.",
  "lines.noLinks": "As mensagens mais novas de {name} não têm links.",
  "lines.leftSent": "Deixado por um chat anterior e enviado agora: {target} {text}",
  "lines.leftRefused": "{why} Deixado por um chat anterior e não enviado: {target} {text}",
  "lines.waiting": "Ainda por enviar, mas guardadas para o seu próximo chat: {count}.",

  "help.usage": "Uso:",
  "help.arguments": "Argumentos:",
  "help.options": "Opções:",
  "help.commands": "Comandos:",
  "help.example": "Exemplo:",
  "help.default": "padrão {value}",
  "help.tagline": "um cluster de chat que uma equipe pequena mantém sozinha",
  "help.more": "Cada comando explica mais, com um exemplo: tertulia COMANDO --help",
  "help.help": "mostra esta ajuda",
  "help.version": "mostra a versão",
  "help.roles": "um só papel, em primeiro plano",
  "help.loginAndRegister": "entra com um usuário, cria conta, troca a senha",
  "help.usersAndChannels": "lista todos, um por linha",
  "help.up": "o cluster inteiro nesta máquina: vigiado, e o processo que cai é reiniciado",
  "help.broker": "um broker: encaminha os pedidos dos clientes aos servidores",
  "help.proxy": "um proxy: encaminha as publicações dos servidores aos assinantes",
  "help.reference": "a referência: dá os ranks, sabe quem está vivo, guarda a visão",
  "help.server": "um servidor: uma réplica de todos os usuários, canais e mensagens",
  "help.gateway": "um gateway: o chat para navegadores e programas, por HTTP e WebSocket",
  "help.game": "um servidor de jogo: partidas de cartas",
  "help.bot": "um bot: escreve rajadas de mensagens nos canais",
  "help.chat": "o chat neste terminal; sem terminal, linhas que entram e saem",
  "help.menu": "o clássico menu numerado",
  "help.login": "entra com um usuário; a primeira vez o cria",
  "help.register": "cria uma conta com senha",
  "help.shop": "mostra suas moedas, o que está à venda e suas ofertas abertas",
  "help.buyPack": "compra um pacote de cinco cartas",
  "help.supplyPacks":
    "define, como administrador, quantos pacotes estão à venda; sem número, quantos as cartas permitirem",
  "help.cards": "lista suas cartas",
  "help.offerCards": "oferece cartas a outra pessoa em troca de cartas dela",
  "help.acceptOffer": "aceita uma oferta: as cartas são trocadas",
  "help.dropOffer": "desfaz uma oferta, sua ou feita a você",
  "help.chooseDeck": "escolhe as cartas com que você joga, de 5 a 30 das suas",
  "help.matches": "mostra os pontos, a partida em andamento e as últimas partidas de alguém",
  "help.voidMatch": "encerra uma partida, como administrador; ela não vale",
  "help.ranking": "lista quem tem mais pontos",
  "help.duel":
    "joga uma partida de cartas neste terminal; sem terminal, linhas JSON na saída e jogadas na entrada",
  "help.shopAndMatches": "as cartas e quem joga com elas",
  "help.hooks": "lista os seus hooks, pelos quais outros sistemas escrevem em seu nome",
  "help.addHook": "cria um hook: um endereço em que outros sistemas escrevem em um canal",
  "help.revokeHook": "revoga um hook seu ou, como administrador, qualquer um",
  "help.users": "lista todos os usuários, um por linha",
  "help.channels": "lista todos os canais, um por linha",
  "help.create": "cria um canal",
  "help.send": "envia um texto a um canal ou a um usuário",
  "help.history": "mostra o que foi escrito em um canal ou com um usuário",
  "help.export":
    "imprime históricos inteiros: os indicados, ou todos os canais e as suas mensagens privadas",
  "help.search": "acha mensagens pelas palavras",
  "help.historyAndExport": "lê o que foi escrito: uma parte ou tudo",
  "help.listen": "mostra o que se escreve, à medida que chega, até Ctrl-C",
  "help.time": "mostra a hora do cluster",
  "help.status": "diz o que há de errado e mostra cada processo; código de saída 1 se há problemas",
  "help.trace":
    "mostra o que cada servidor fez com uma mensagem, dado o id ou servidor/seq, ou com uma ação numa partida, dado o id ou a partida; com --send, envia uma mensagem antes",
  "help.statusAndTrace": "a hora e a saúde do cluster; a vida de uma mensagem",
  "help.doctor":
    "verifica esta máquina antes ou depois da instalação: portas, nomes, segredo, disco, relógio; código de saída 1 se há um problema",
  "help.doctorAndHealth": "verifica esta máquina ou um processo",
  "help.health": "pergunta a um processo se está vivo e pronto; código de saída 0 ou 1",
  "help.verify":
    "confere uma pasta de dados que nenhum processo usa; código 1 se estiver danificada",
  "help.backups": "salva, restaura, migra ou verifica",
  "help.backup": "salva um cluster em execução em um arquivo; - escreve na saída padrão",
  "help.restore": "restaura um backup em uma pasta de dados vazia; - lê a entrada padrão",
  "help.migrate":
    "migra um backup para um PostgreSQL vazio, para servidores com --engine; - lê a entrada padrão",
  "help.secret": "troca o segredo do cluster em três passos, sem parar o cluster",
  "help.serversAndSecret": "remove um membro perdido, troca o segredo do cluster",
  "help.servers": "muda quem é membro",
  "help.remove": "tira da visão um membro que não volta mais",
  "help.accounts":
    "o que um administrador pode: lock, unlock, promote, demote, reset, registration",
  "help.password": "troca a senha; as sessões antigas terminam",
  "help.add": "cria uma conta, com a senha lida da entrada padrão",
  "help.lock": "bloqueia uma conta",
  "help.unlock": "desbloqueia uma conta",
  "help.promote": "torna alguém administrador",
  "help.demote": "torna um administrador um usuário comum",
  "help.reset": "dá uma nova senha a uma conta, lida da entrada padrão",
  "help.removeChannel": "remove um canal",
  "help.restoreChannel": "restaura um canal que foi removido",
  "help.registration": "quem pode se registrar: open, closed ou invitation",
  "help.init": "grava o segredo e a configuração de cada host de um cluster novo",
  "help.config": "mostra cada ajuste, seu valor e de onde veio",
  "help.configAndInit": "mostra a configuração, ou grava a de hosts novos",
  "help.chaos":
    "mata, para e isola processos de um cluster novo; código de saída 1 se algo se perde",
  "argument.HOST": "nome=endereço de cada host; no primeiro fica a referência",
  "argument.NAME": "um nome",
  "argument.PACK": "basic, premium ou legendary",
  "argument.NUMBER": "o número de uma oferta, ou de pacotes",
  "argument.GIVE": "suas cartas, separadas por vírgulas",
  "argument.WANT": "as cartas da outra pessoa, separadas por vírgulas",
  "argument.CARDS": "os ids das cartas, separados por vírgulas",
  "argument.MATCH": "o id de uma partida, que `tertulia matches` mostra",
  "argument.HOOK": "o id do hook, que `tertulia hooks` mostra",
  "argument.MODE": "open, closed ou invitation",
  "argument.FOLDER": "uma pasta de dados, ou a pasta de um servidor dentro dela",
  "argument.FILE": "o arquivo do backup, ou -",
  "argument.CHANNEL": "o nome do canal, com ou sem #",
  "argument.TARGET": "'#canal' (entre aspas: # começa um comentário no shell) ou @usuario",
  "argument.WORDS":
    'palavras que a mensagem deve ter; "duas palavras" seguidas, -palavra para excluir (depois de --)',
  "argument.TEXT": "o texto, depois de -- se começa com um traço; só - lê da entrada padrão",
  "argument.ID": "o id de uma mensagem ou pedido, ou servidor/seq; com --send, o destino",
  "argument.ROLES":
    "os papéis dos processos desta máquina; senão, TERTULIA_ROLE, ou reference, broker, proxy e server",
  "argument.ACTION": "add, switch ou drop, nesta ordem",
  "argument.ROLE": "broker, proxy, reference, server, gateway, game ou bot; senão, TERTULIA_ROLE",
  "flag.config": "um arquivo de configuração (YAML); as opções e o ambiente têm precedência",
  "flag.broker": "os brokers, para clientes",
  "flag.brokerBack": "os brokers, para servidores",
  "flag.proxyIn": "os proxies, para publicar",
  "flag.proxy": "os proxies, para assinar",
  "flag.reference": "a referência",
  "flag.game": "os servidores de jogo, para quem joga",
  "flag.front": "onde a frente escuta",
  "flag.back": "onde o fundo escuta",
  "flag.bind": "onde o processo escuta",
  "flag.metrics": "onde métricas e saúde são servidas por HTTP: tcp://127.0.0.1:9464",
  "flag.http": "onde navegadores e programas se conectam por HTTP",
  "flag.mqtt": "onde os jogadores se conectam por MQTT",
  "flag.trustedProxies": "endereços ou redes dos proxies HTTP na frente do gateway",
  "flag.gatewayKeyFile":
    "o arquivo com a chave dos gateways; por padrão gateway/key na pasta de dados",
  "flag.advertise": "o host, ou o endpoint inteiro, em que os outros alcançam este processo",
  "flag.data": "a pasta de dados",
  "flag.secretFile": "o segredo do cluster; se omitido, `secret` na pasta de dados",
  "flag.keyFile": "o arquivo com a chave que criptografa um backup; 16 caracteres ou mais",
  "flag.cluster": "o nome do cluster",
  "flag.owner": "dono dos hooks a listar; outro usuário, só como administrador",
  "flag.auth": "open: só nomes; required: contas com senha",
  "flag.curve": "criptografa todas as conexões, com chaves derivadas do segredo",
  "flag.serverKeyFile": "a chave pública do cluster, se ele usa criptografia",
  "flag.userRate":
    "mensagens por segundo de um usuário em um servidor, onde há contas; 0: sem limite",
  "flag.connectionRate": "pedidos por segundo de uma conexão em um servidor; 0: sem limite",
  "flag.steps": "registros de passos de eventos que um servidor guarda na memória; 0: nenhum",
  "flag.insecure": "permite um cluster aberto ou sem criptografia além desta máquina",
  "flag.guestServers":
    "deixa servidores de outros autores, que não são membros, atenderem no broker e publicarem",
  "flag.leaveOnStop": "deixa a visão ao parar",
  "flag.keepPublications":
    "publicações mais novas guardadas por canal; igual em todos os servidores",
  "flag.keepMessages": "mensagens privadas mais novas guardadas por usuário; igual em todos",
  "flag.keepLogins": "logins mais novos guardados por usuário; igual em todos os servidores",
  "flag.checkpointBytes": "bytes do diário após os quais um servidor salva seu estado",
  "flag.engine": "o PostgreSQL que guarda tudo no lugar dos servidores",
  "flag.enginePasswordFile": "um arquivo cuja primeira linha é a senha desse PostgreSQL",
  "flag.redis": "um Redis opcional ao lado do motor; pode perder tudo",
  "flag.redisPasswordFile": "um arquivo cuja primeira linha é a senha desse Redis",
  "flag.user": "seu nome; senão, o do seu login",
  "flag.lang": "en ou pt-br; senão, conforme LANG",
  "flag.logLevel": "quanto vai para o log",
  "flag.json": "imprime um objeto JSON por linha",
  "flag.passwordFile": "um arquivo cuja primeira linha é a senha",
  "flag.invitation": "o convite de um administrador, onde o registro o pede",
  "flag.timeout": "segundos até desistir de um pedido",
  "flag.limit": "no máximo este número de mensagens",
  "flag.before": "só o que vem antes deste ponto, dado por uma página anterior",
  "flag.sinceVector": "só o que este vetor, dado por uma resposta anterior, ainda não viu",
  "flag.since":
    "começa depois deste vetor, ou nesta data ou hora (2026-01-31, 2026-01-31T08:00; local sem Z nem fuso)",
  "flag.lines": "linhas que entram e saem, em vez da tela inteira",
  "flag.watch": "mostra de novo a cada segundo, até Ctrl-C",
  "flag.rules": "o jogo: clash ou duel",
  "flag.watchMatch": "assistir às partidas dessa pessoa em vez de jogar",
  "flag.send": "envia antes TEXT ao destino, como `send`, e rastreia essa mensagem",
  "flag.svg": "imprime uma figura (SVG)",
  "flag.shiviz": "imprime um log para o visualizador ShiViz",
  "flag.force": "mesmo sem maioria dos que restam; pode perder o que só ele tinha",
  "flag.servers": "número de servidores",
  "flag.bots": "número de bots",
  "flag.gateways": "número de gateways, para navegadores e programas",
  "flag.games": "número de servidores de partidas de cartas",
  "flag.brokers": "número de brokers",
  "flag.proxies": "número de proxies",
  "flag.port": "a primeira de cinco portas; 0 para quaisquer livres",
  "flag.chat": "abre o chat neste terminal; os logs vão para arquivos",
  "flag.rate": "mensagens por segundo em uma rajada; 0 para o mais rápido possível",
  "flag.burst": "mensagens em uma rajada",
  "flag.pause": "milissegundos entre rajadas",
  "flag.channels": "canais onde escrever, separados por vírgulas, em vez de todos",
  "flag.count": "para depois deste número de mensagens; 0: nunca",
  "flag.seed": "usa esta semente em vez de uma aleatória",
  "flag.name": "o nome do bot, em vez de um próprio",
  "flag.out": "a pasta a criar, que ainda não pode existir",
  "flag.seconds": "por quanto tempo há falhas",
  "flag.postgres":
    "dá um motor aos servidores: um PostgreSQL só desta execução, com uma réplica que assume",
  "flag.report": "grava neste arquivo HTML um relatório com a linha do tempo e as latências",
  // `tertulia init`.
  "init.host":
    '"{said}" não é um host: escreva nome=endereço, com um endereço IP, como ana=10.0.0.1, e um nome que não seja client nem gateway.',
  "init.twice": "Dois hosts têm {value}: dê a cada um o seu próprio nome e endereço.",
  "init.exists": "{folder} já existe: indique outra pasta com --out.",
  "init.unwritable": "Não é possível escrever em {folder} ({why}): indique outra pasta com --out.",
  "init.hostComment":
    "Host {name} ({address}). `roles` e `advertise` têm o endereço dele; o resto é igual em todos os hosts.",
  "init.clientComment": "Para o computador de cada pessoa: tertulia chat --config tertulia.yaml",
  "init.done":
    "{folder} tem uma pasta para cada host e uma para os clientes. docs/three-hosts.md explica cada passo.",
  "init.onHost": "Host {name} ({address}): copie {folder}/{name}, instale o programa e execute:",
  "init.clients": "Dê às pessoas {folder}, que não contém o segredo.",
  "init.gateways":
    "Para navegadores, rode também gateways, com as chaves em {folder}: docs/three-hosts.md, passo 6.",
  "init.oneHost": "Com um host só, ninguém lê nem escreve enquanto ele está fora do ar. Use três.",
  "init.twoHosts":
    "Com dois hosts, ninguém lê nem escreve enquanto um deles está fora do ar. Use três.",
  "init.mayBeDown": "De {count} hosts, até {down} podem ficar fora do ar ao mesmo tempo.",
  "init.evenHosts": "Com {odd} hosts seria o mesmo.",
  "up.ready":
    "Pronto: broker {broker}, proxy {proxy}, referência {reference}. Ctrl-C encerra tudo.",
  "up.waiting": "O processo {process} espera: {why}",
  "up.metrics": "Métricas de todos os processos: {endpoint}",
  "up.http": "No navegador: {http}",
  "up.games": "Partidas de cartas: {game}, por MQTT {mqtt}",
  "up.promote": "Para tornar uma conta administradora: tertulia accounts promote NOME{flags}",
} satisfies Catalogue;
