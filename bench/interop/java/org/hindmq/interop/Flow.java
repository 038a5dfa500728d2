package org.hindmq.interop;

import javax.jms.Connection;
import javax.jms.JMSException;
import javax.jms.Message;
import javax.jms.MessageConsumer;
import javax.jms.Queue;
import javax.jms.Session;

import org.apache.activemq.artemis.jms.client.ActiveMQConnectionFactory;

/**
 * What a flow has at hand: a started connection of its own, names that no other flow uses, and checks that throw
 * with the reason. A flow passes when it returns.
 */
final class Flow {
   /** The longest wait for a message that must come. */
   static final long LONG = 5_000;
   /** The wait that shows that no message comes. */
   static final long SHORT = 300;

   interface Body {
      void run(Flow f) throws Exception;
   }

   static final class Failure extends RuntimeException {
      private static final long serialVersionUID = 1L;

      Failure(String what) {
         super(what);
      }
   }

   final ActiveMQConnectionFactory factory;
   final String user;
   final String password;
   final String tag;
   final Connection connection;

   Flow(ActiveMQConnectionFactory factory, String user, String password, String tag) throws JMSException {
      this.factory = factory;
      this.user = user;
      this.password = password;
      this.tag = tag;
      this.connection = factory.createConnection(user, password);
   }

   Session auto() throws JMSException {
      return connection.createSession(false, Session.AUTO_ACKNOWLEDGE);
   }

   Session transacted() throws JMSException {
      return connection.createSession(true, Session.SESSION_TRANSACTED);
   }

   Queue queue(Session s) throws JMSException {
      return s.createQueue(tag + ".q");
   }

   static void check(boolean ok, String what) {
      if (!ok) throw new Failure(what);
   }

   static void same(Object want, Object got, String what) {
      boolean equal = want == null ? got == null : want.equals(got);
      if (!equal) throw new Failure(what + ": want " + show(want) + ", got " + show(got));
   }

   static String show(Object o) {
      return o == null ? "null" : o + " (" + o.getClass().getSimpleName() + ")";
   }

   static Message must(MessageConsumer c, String what) throws JMSException {
      Message m = c.receive(LONG);
      if (m == null) throw new Failure(what + ": nothing within " + LONG + " ms");
      return m;
   }

   static void none(MessageConsumer c, String what) throws JMSException {
      Message m = c.receive(SHORT);
      if (m != null) throw new Failure(what + ": unexpected " + m);
   }
}
