package org.hindmq.interop;

import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicLong;

import javax.jms.Connection;
import javax.jms.JMSException;
import javax.jms.Message;
import javax.jms.MessageConsumer;
import javax.jms.Session;

import org.apache.activemq.artemis.api.core.ActiveMQException;
import org.apache.activemq.artemis.api.core.ActiveMQExceptionType;
import org.apache.activemq.artemis.jms.client.ActiveMQConnectionFactory;

/**
 * The load that lives through every fault: producers with unique ids, consumers of every acknowledgement mode, and a
 * history of all of it on standard output. Settings are key=value arguments; commands come on standard input:
 * "stop" ends the producers, drains the queues and ends the process; end of input ends it at once.
 */
public final class Load {
   final EventLog log = new EventLog();
   final Set<String> confirmed = ConcurrentHashMap.newKeySet();
   final Set<String> delivered = ConcurrentHashMap.newKeySet();
   final AtomicLong lastDelivery = new AtomicLong(System.nanoTime());
   final String url;
   final String user;
   final String password;
   final String prefix;
   final int bodySize;
   final long pauseNanos;
   volatile boolean producersStop;
   volatile boolean consumersStop;

   private Load(Map<String, String> a) {
      url = a.get("url");
      user = a.get("user");
      password = a.get("password");
      prefix = a.get("prefix");
      bodySize = Integer.parseInt(a.getOrDefault("size", "1024"));
      pauseNanos = 1_000_000_000L / Long.parseLong(a.getOrDefault("rate", "200"));
   }

   public static void main(String[] args) throws Exception {
      Map<String, String> a = new HashMap<>();
      for (String s : args) {
         int i = s.indexOf('=');
         if (i < 0) {
            System.err.println("arguments are key=value, not " + s);
            System.exit(2);
         }
         a.put(s.substring(0, i), s.substring(i + 1));
      }
      int code = new Load(a).run(a);
      Runtime.getRuntime().halt(code);
   }

   private int run(Map<String, String> a) throws Exception {
      int queues = Integer.parseInt(a.getOrDefault("queues", "3"));
      int producers = Integer.parseInt(a.getOrDefault("producers", "4"));
      int tx = Integer.parseInt(a.getOrDefault("tx", "2"));
      boolean shared = Boolean.parseBoolean(a.getOrDefault("shared", "true"));
      List<Thread> consumers = new ArrayList<>();
      List<Thread> senders = new ArrayList<>();
      Receiver.Mode[] modes = {Receiver.Mode.TX, Receiver.Mode.CLIENT, Receiver.Mode.AUTO};
      for (int i = 0; i < queues; i++) consumers.add(start("c" + i, new Receiver(this, "c" + i, queue(i), modes[i % modes.length])));
      if (shared) {
         for (int i = 0; i < 2; i++) consumers.add(start("s" + i, new Receiver(this, "s" + i, prefix + ".shared", Receiver.Mode.TX)));
         senders.add(start("ps", new Sender(this, "ps", prefix + ".shared")));
      }
      for (int i = 0; i < producers; i++) senders.add(start("p" + i, new Sender(this, "p" + i, queue(i % queues))));
      for (int i = 0; i < tx; i++) senders.add(start("t" + i, new TxSender(this, "t" + i, queue(i % queues))));
      log.write(new EventLog.Line("started"));

      BufferedReader in = new BufferedReader(new InputStreamReader(System.in));
      String line = in.readLine();
      if (line == null) return 5; // the harness is gone
      if (!line.equals("stop")) {
         System.err.println("no command " + line);
         return 2;
      }
      Thread orphan = new Thread(() -> {
         try {
            while (in.readLine() != null) { }
         } catch (Exception e) {
            // an unreadable input is a closed one
         }
         Runtime.getRuntime().halt(5);
      }, "orphan");
      orphan.setDaemon(true);
      orphan.start();
      producersStop = true;
      for (Thread t : senders) t.join();
      log.write(new EventLog.Line("producers.done").add("confirmed", confirmed.size()));
      drain();
      consumersStop = true;
      for (Thread t : consumers) t.join(15_000);
      leftovers("DLQ");
      leftovers("ExpiryQueue");
      log.write(new EventLog.Line("end").add("confirmed", confirmed.size()).add("delivered", delivered.size()));
      return 0;
   }

   private String queue(int i) {
      return prefix + ".q" + i;
   }

   private static Thread start(String name, Runnable r) {
      Thread t = new Thread(r, name);
      t.start();
      return t;
   }

   /** Waits until all that was confirmed was delivered, or nothing has come for 10 s; then for a quiet second. */
   private void drain() throws InterruptedException {
      while (idleMillis() < 10_000 && !delivered.containsAll(confirmed)) Thread.sleep(20);
      while (idleMillis() < 1_000) Thread.sleep(20);
   }

   private long idleMillis() {
      return (System.nanoTime() - lastDelivery.get()) / 1_000_000;
   }

   /** What the broker set aside is found, not lost. */
   private void leftovers(String queue) {
      try (ActiveMQConnectionFactory cf = new ActiveMQConnectionFactory(url)) {
         Connection c = cf.createConnection(user, password);
         c.start();
         Session s = c.createSession(false, Session.AUTO_ACKNOWLEDGE);
         MessageConsumer mc = s.createConsumer(s.createQueue(queue));
         for (Message m; (m = mc.receive(500)) != null; ) if (mine(m)) deliver("drain", queue, m);
         c.close();
      } catch (JMSException e) {
         log.write(new EventLog.Line("drain.error").add("q", queue).add("err", text(e)));
      }
   }

   private boolean mine(Message m) throws JMSException {
      String id = m.getStringProperty("id");
      return id != null && id.startsWith(prefix);
   }

   void deliver(String consumer, String queue, Message m) throws JMSException {
      String id = m.getStringProperty("id");
      EventLog.Line l = new EventLog.Line("deliver").add("c", consumer).add("q", queue).add("id", id == null ? "" : id)
         .add("mid", String.valueOf(m.getJMSMessageID())).add("rd", m.getJMSRedelivered()).add("n", m.getIntProperty("JMSXDeliveryCount"));
      String damage = Payload.damage(m, id, bodySize);
      if (damage != null) l.add("bad", damage);
      log.write(l);
      lastDelivery.set(System.nanoTime());
      if (id != null) delivered.add(id);
   }

   /** Tells whether a commit was refused because a message's duplicate id was used before: JMS has no code for it. */
   static boolean duplicate(JMSException e) {
      Throwable cause = e.getCause();
      return cause instanceof ActiveMQException && ((ActiveMQException) cause).getType() == ActiveMQExceptionType.DUPLICATE_ID_REJECTED;
   }

   static String text(Throwable t) {
      String code = t instanceof JMSException && ((JMSException) t).getErrorCode() != null ? ((JMSException) t).getErrorCode() + " " : "";
      return code + t.getClass().getSimpleName() + " " + t.getMessage();
   }
}
